export function isLangServeRoute(url: string): boolean {
  return /^\/(?:rag|agent)\//.test(url);
}

/**
 * The BM25 index of a text-search configuration. The name goes into SQL text, so anything but a plain
 * configuration name is refused.
 */
export function lexicalIndexOf(language: string): string {
  if (!/^[a-z_]{1,40}$/.test(language)) throw new Error(`not a text-search configuration name: ${language}`);
  return `chunks_bm25_${language}`;
}

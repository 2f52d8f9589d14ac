export type SupportedMediaType = 'text/markdown' | 'text/plain';
export interface ParsedDocument { text: string; title: string | null; blocks: { kind: 'paragraph'; start: number; end: number }[]; pageCount: number | null }
export async function detectMediaType(_: { bytes: Uint8Array; filename?: string; declaredMediaType?: string }): Promise<SupportedMediaType> { return 'text/markdown'; }
export async function parseDocument(input: { bytes: Uint8Array; mediaType: SupportedMediaType; filename?: string }, _onPage?: (done: number, total: number) => void): Promise<ParsedDocument> {
  const text = new TextDecoder().decode(input.bytes);
  return { text, title: null, blocks: [{ kind: 'paragraph', start: 0, end: text.length }], pageCount: null };
}

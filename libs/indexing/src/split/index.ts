import { countTokens } from '#libs/text-analysis';
import type { ParsedDocument } from '../parse/index.js';
export interface ChunkDraft { ordinal: number; text: string; start: number; end: number; headingPath: string[]; page: number | null; tokenCount: number }
export function splitDocument(document: ParsedDocument, _: { chunkTokensMax: number; overlapTokens: number }): ChunkDraft[] {
  const out: ChunkDraft[] = [];
  for (let s = 0; s < document.text.length; s += 1500) { const text = document.text.slice(s, s + 1500); out.push({ ordinal: out.length, text, start: s, end: s + text.length, headingPath: [], page: null, tokenCount: countTokens(text) }); }
  return out;
}

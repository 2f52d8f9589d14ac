import type { Source } from '#libs/retrieval';
import { analyzeTerms, splitSentences } from '#libs/text-analysis';

const SHARED_TERMS_MIN = 0.5;

/** The source's sentence that shares most of the claim's terms, if it shares at least half of them. */
export function bestSupport(claim: string, source: Source): string | null {
  const wanted = new Set(analyzeTerms(claim));
  if (wanted.size === 0) return null;
  let best: { sentence: string; share: number } | null = null;
  for (const { start, end } of splitSentences(source.text)) {
    const sentence = source.text.slice(start, end);
    const terms = new Set(analyzeTerms(sentence));
    const share = [...wanted].filter((term) => terms.has(term)).length / wanted.size;
    if (share >= SHARED_TERMS_MIN && share > (best?.share ?? 0)) best = { sentence, share };
  }
  return best?.sentence ?? null;
}

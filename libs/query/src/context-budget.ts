import type { Source } from '#libs/retrieval';
import { countTokens } from '#libs/text-analysis';

/** The best sources, in order, whose texts together stay within `tokensMax`; always at least the first. */
export function withinBudget(sources: readonly Source[], tokensMax: number): Source[] {
  const taken: Source[] = [];
  let tokens = 0;
  for (const source of sources) {
    tokens += countTokens(source.text);
    if (tokens > tokensMax && taken.length > 0) break;
    taken.push(source);
  }
  return taken;
}

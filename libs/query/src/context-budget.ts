import type { Source } from '#libs/retrieval';
import { countTokens } from '#libs/text-analysis';

/**
 * The best sources, in order, whose texts together stay within `tokensMax`; always at least the first. The same text in another
 * document (a copy, a mail that quotes it) tells a model nothing new: it is left out.
 */
export function withinBudget(sources: readonly Source[], tokensMax: number): Source[] {
  const taken: Source[] = [];
  const texts = new Set<string>();
  let tokens = 0;
  for (const source of sources) {
    const words = source.text.replaceAll(/\s+/g, ' ').trim().toLowerCase();
    if (texts.has(words)) continue;
    texts.add(words);
    tokens += countTokens(source.text);
    if (tokens > tokensMax && taken.length > 0) break;
    taken.push(source);
  }
  return taken;
}

import { Random } from './random.js';

const VOCABULARY = 20_000;
const TOPIC_WORDS = 150;
/** Share of a text that is its topic's own. */
const TOPIC_SHARE = 0.25;
export const WORDS_PER_CHUNK = 60;

/** Texts whose words are as frequent as a language's (Zipf), with words that belong to a topic: BM25 has its work. */
export class SyntheticTexts {
  private readonly words: string[];
  private readonly cumulated: Float64Array;

  constructor(private readonly seed: number) {
    this.words = Array.from({ length: VOCABULARY }, (_, rank) => spelled(rank));
    this.cumulated = new Float64Array(VOCABULARY);
    let sum = 0;
    for (let rank = 0; rank < VOCABULARY; rank += 1) {
      sum += 1 / (rank + 2.7);
      this.cumulated[rank] = sum;
    }
  }

  ofChunk(topic: number, chunk: number): string {
    const random = new Random(this.seed, 11, chunk);
    return Array.from({ length: WORDS_PER_CHUNK }, () =>
      random.uniform() < TOPIC_SHARE ? this.ofTopic(topic, random) : this.words[this.rank(random)]!,
    ).join(' ');
  }

  /** 3 to 8 words of one chunk. */
  ofQuery(topic: number, chunk: number, query: number): string {
    const random = new Random(this.seed, 12, query);
    const words = this.ofChunk(topic, chunk).split(' ');
    return Array.from({ length: 3 + random.below(6) }, () => words[random.below(words.length)]!).join(' ');
  }

  private ofTopic(topic: number, random: Random): string {
    const first = new Random(this.seed, 13, topic).below(VOCABULARY - TOPIC_WORDS);
    return this.words[first + random.below(TOPIC_WORDS)]!;
  }

  private rank(random: Random): number {
    const wanted = random.uniform() * this.cumulated.at(-1)!;
    let low = 0;
    let high = VOCABULARY - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.cumulated[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const CONSONANTS = 'bdfgklmnprtvz';
const VOWELS = 'aiou';

/** A word of its own for each number, of syllables that no English stemmer shortens. */
function spelled(rank: number): string {
  let rest = rank + 1;
  let word = '';
  while (rest > 0) {
    const syllable = rest % (CONSONANTS.length * VOWELS.length);
    word += CONSONANTS[Math.floor(syllable / VOWELS.length)]! + VOWELS[syllable % VOWELS.length]!;
    rest = Math.floor(rest / (CONSONANTS.length * VOWELS.length));
  }
  return `${word}k`;
}

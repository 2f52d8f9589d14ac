const WORD_START = '▁';
const UNKNOWN_ID = 0;
const UNKNOWN_SCORE = -20;
/** The first entries of the vocabulary are control symbols that no text contains. */
const CONTROL_SYMBOLS = 6;
const CACHED_WORDS_MAX = 50_000;
const WORD_CHARACTERS_MAX = 200;

/** Unigram tokenizer (Kudo 2018): the segmentation of a word whose pieces have the highest total log probability. */
export class SentencePiece {
  private readonly pieces = new Map<string, { id: number; score: number }>();
  private readonly pieceCharactersMax: number;
  private readonly cache = new Map<string, number[]>();

  constructor(vocabulary: readonly [piece: string, score: number][]) {
    let longest = 1;
    for (const [id, [piece, score]] of vocabulary.entries()) {
      if (id < CONTROL_SYMBOLS) continue;
      this.pieces.set(piece, { id, score });
      longest = Math.max(longest, Array.from(piece).length);
    }
    this.pieceCharactersMax = longest;
  }

  /** Token ids of one word without white space. */
  encodeWord(word: string): number[] {
    let ids = this.cache.get(word);
    if (!ids) {
      ids = this.segment([WORD_START, ...Array.from(word.normalize('NFKC').slice(0, WORD_CHARACTERS_MAX))]);
      if (this.cache.size >= CACHED_WORDS_MAX) this.cache.clear();
      this.cache.set(word, ids);
    }
    return ids;
  }

  private segment(characters: string[]): number[] {
    const best = [{ score: 0, start: 0, id: UNKNOWN_ID }];
    for (let end = 1; end <= characters.length; end += 1) {
      let choice = { score: best[end - 1]!.score + UNKNOWN_SCORE, start: end - 1, id: UNKNOWN_ID };
      for (let start = Math.max(0, end - this.pieceCharactersMax); start < end; start += 1) {
        const piece = this.pieces.get(characters.slice(start, end).join(''));
        const score = piece && best[start]!.score + piece.score;
        if (piece && score! > choice.score) choice = { score: score!, start, id: piece.id };
      }
      best.push(choice);
    }
    const ids: number[] = [];
    for (let end = characters.length; end > 0; end = best[end]!.start) {
      const { id } = best[end]!;
      if (id !== UNKNOWN_ID || ids.at(-1) !== UNKNOWN_ID) ids.push(id); // consecutive unknowns are one
    }
    return ids.toReversed();
  }
}

import type { PreparedChunk, PreparedPart } from './prepared-part.js';
import { TextWindow } from './split/text-window.js';

type ChunksPart = Extract<PreparedPart, { kind: 'chunks' }>;

const CHUNKS_MAX = 128;
/** UTF-16 units, so 1 MB. */
const CHARACTERS_MAX = 512 * 1024;

/** Divides a document's text and chunks into parts of bounded size: consecutive slices, each with the chunks that end in it. */
export class TextSlices {
  private readonly window = new TextWindow();
  private sent = 0;
  private chunks: PreparedChunk[] = [];
  private chunkCharacters = 0;

  get length(): number {
    return this.window.length;
  }

  append(text: string): void {
    this.window.append(text);
  }

  /** @param chunk ends in the appended text, and not before the chunk added last */
  *add(chunk: PreparedChunk): Generator<ChunksPart, void> {
    const isFull =
      this.chunks.length === CHUNKS_MAX ||
      this.chunkCharacters + chunk.embeddingText.length > CHARACTERS_MAX ||
      chunk.end - this.sent > CHARACTERS_MAX;
    if (isFull && this.chunks.length > 0) yield this.take(this.chunks.at(-1)!.end);
    yield* this.takeText(chunk.end);
    this.chunks.push(chunk);
    this.chunkCharacters += chunk.embeddingText.length;
  }

  /** What is left of the text and the chunks, in one part where it fits: a document of a single part is not staged. */
  *end(): Generator<ChunksPart, void> {
    if (this.chunks.length > 0 && this.length - this.sent > CHARACTERS_MAX) {
      yield this.take(this.chunks.at(-1)!.end);
    }
    yield* this.takeText(this.length);
    if (this.sent < this.length || this.chunks.length > 0) yield this.take(this.length);
  }

  /** Long stretches without a chunk, until the slice that ends at the offset fits into one part. */
  private *takeText(until: number): Generator<ChunksPart, void> {
    while (until - this.sent > CHARACTERS_MAX) {
      const end = this.sent + CHARACTERS_MAX;
      const isInsidePair = /[\uD800-\uDBFF]/.test(this.window.slice(end - 1, end));
      yield this.take(isInsidePair ? end - 1 : end);
    }
  }

  private take(end: number): ChunksPart {
    const part: ChunksPart = {
      kind: 'chunks',
      text: this.window.slice(this.sent, end),
      start: this.sent,
      chunks: this.chunks,
    };
    this.window.drop(end);
    this.sent = end;
    this.chunks = [];
    this.chunkCharacters = 0;
    return part;
  }
}

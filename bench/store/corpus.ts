import { Random } from './random.js';
import { DIMENSIONS, SyntheticVectors } from './synthetic-vectors.js';
import { SyntheticTexts } from './synthetic-texts.js';

export const CHUNKS_PER_DOCUMENT = 10;
export const QUESTIONS = 200;
const SEED = 20_260;

export interface Question {
  text: string;
  embedding: Float32Array;
}

/** What filters ask for: 1 of 10, 100, 1000 and 10000 documents, and any share by `rank`. */
export interface DocumentMetadata {
  tenth?: true;
  hundredth?: true;
  thousandth?: true;
  ten_thousandth?: true;
  /** A permutation of the documents' numbers: `rank < n` keeps n documents that have nothing in common. */
  rank: number;
}

/** The same documents in every run; a smaller store has the first of them. */
export class Corpus {
  private readonly vectors = new SyntheticVectors(SEED);
  private readonly texts = new SyntheticTexts(SEED);
  private readonly embeddings: Float32Array;
  private generated = 0;

  /** @param size the most chunks that are asked for */
  constructor(private readonly size: number) {
    this.embeddings = new Float32Array(size * DIMENSIONS);
  }

  embedding(chunk: number): Float32Array {
    for (; this.generated <= chunk; this.generated += 1) {
      const vector = this.vectors.ofChunk(documentOf(this.generated), this.generated);
      this.embeddings.set(vector, this.generated * DIMENSIONS);
    }
    return this.embeddings.subarray(chunk * DIMENSIONS, (chunk + 1) * DIMENSIONS);
  }

  text(chunk: number): string {
    return this.texts.ofChunk(this.vectors.clusterOf(documentOf(chunk)), chunk);
  }

  metadata(document: number, documents: number): DocumentMetadata {
    return {
      ...(document % 10 === 3 && { tenth: true as const }),
      ...(document % 100 === 3 && { hundredth: true as const }),
      ...(document % 1_000 === 3 && { thousandth: true as const }),
      ...(document % 10_000 === 3 && { ten_thousandth: true as const }),
      rank: (document * 7_919) % documents,
    };
  }

  /** Held out, each near one of the first `size` chunks. */
  questions(size: number): Question[] {
    const random = new Random(SEED, 21, size);
    return Array.from({ length: QUESTIONS }, (_, query) => {
      const chunk = random.below(Math.min(size, this.size));
      const document = documentOf(chunk);
      return {
        text: this.texts.ofQuery(this.vectors.clusterOf(document), chunk, query),
        embedding: this.vectors.ofQuery(document, chunk, query),
      };
    });
  }
}

export function documentOf(chunk: number): number {
  return Math.floor(chunk / CHUNKS_PER_DOCUMENT);
}

/** Ids that say the number. As in production (uuidv7) later rows have greater ones. */
export function documentId(document: number): string {
  return `00000000-0000-7000-8000-${document.toString(16).padStart(12, '0')}`;
}

export function versionId(document: number): string {
  return `00000000-0000-7000-9000-${document.toString(16).padStart(12, '0')}`;
}

export function chunkId(chunk: number): string {
  return `00000000-0000-7000-a000-${chunk.toString(16).padStart(12, '0')}`;
}

export function numberOfId(id: string): number {
  return Number.parseInt(id.slice(-12), 16);
}

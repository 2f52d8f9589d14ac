import { Random } from './random.js';

export const DIMENSIONS = 512;
const LATENT = 48;
const CLUSTERS = 400;
const DOCUMENT_SPREAD = 0.5;
const CHUNK_SPREAD = 0.4;
const QUERY_SPREAD = 0.5;
/** Length of the noise relative to the vector. */
const NOISE = 0.25;

/**
 * Unit vectors as a model's are: clusters of documents in 48 latent dimensions, lifted to 512, plus noise. Uniform
 * random vectors have no neighbourhoods, and say nothing about an index.
 */
export class SyntheticVectors {
  private readonly lift: Float32Array;
  private readonly centers: Float32Array[];

  constructor(private readonly seed: number) {
    const random = new Random(seed, 1);
    this.lift = Float32Array.from({ length: DIMENSIONS * LATENT }, () => random.gaussian());
    this.centers = Array.from({ length: CLUSTERS }, () =>
      Float32Array.from({ length: LATENT }, () => random.gaussian()),
    );
  }

  clusterOf(document: number): number {
    return new Random(this.seed, 2, document).below(CLUSTERS);
  }

  ofChunk(document: number, chunk: number): Float32Array {
    const random = new Random(this.seed, 3, chunk);
    return this.lifted(this.latentOfChunk(document, chunk), random);
  }

  /** Near a chunk, and not one of them. */
  ofQuery(document: number, chunk: number, query: number): Float32Array {
    const random = new Random(this.seed, 4, query);
    const latent = this.latentOfChunk(document, chunk).map(
      (value) => value + QUERY_SPREAD * random.gaussian(),
    );
    return this.lifted(latent, random);
  }

  private latentOfChunk(document: number, chunk: number): Float32Array {
    const ofDocument = new Random(this.seed, 5, document);
    const ofChunk = new Random(this.seed, 6, chunk);
    return this.centers[this.clusterOf(document)]!.map(
      (value) => value + DOCUMENT_SPREAD * ofDocument.gaussian() + CHUNK_SPREAD * ofChunk.gaussian(),
    );
  }

  private lifted(latent: Float32Array, random: Random): Float32Array {
    const vector = new Float32Array(DIMENSIONS);
    for (let row = 0; row < DIMENSIONS; row += 1) {
      let sum = 0;
      for (let column = 0; column < LATENT; column += 1)
        sum += this.lift[row * LATENT + column]! * latent[column]!;
      vector[row] = sum;
    }
    const noise = (NOISE * lengthOf(vector)) / Math.sqrt(DIMENSIONS / 3);
    for (let row = 0; row < DIMENSIONS; row += 1) vector[row]! += noise * (2 * random.uniform() - 1);
    const length = lengthOf(vector);
    return vector.map((value) => value / length);
  }
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

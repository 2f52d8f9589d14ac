import { randomInt } from 'node:crypto';

/** FAULTS_SEED repeats a run: its documents, its order of faults, and as far as the machine plays along their moments. */
export const seed = Number(process.env.FAULTS_SEED ?? randomInt(2 ** 31));

/** FAULTS_ROUNDS: 1 in `npm test`, 20 in `npm run test:faults`, which are a thousand kills. */
export const rounds = Math.max(1, Number(process.env.FAULTS_ROUNDS ?? 1));

/** Mulberry32: the same numbers for the same seed. */
export class Random {
  private state: number;

  constructor(state: number) {
    this.state = state;
  }

  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** In [0, max). */
  integer(max: number): number {
    return Math.floor(this.next() * max);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)]!;
  }
}

/** Of this test, and printed: a failure names what repeats it. */
export function seededRandom(test: string): Random {
  console.log(`${test}: FAULTS_SEED=${seed} FAULTS_ROUNDS=${rounds}`);
  return new Random(seed);
}

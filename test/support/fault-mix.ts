import type { Fault, MockLlm } from '../mock-llm/index.js';

/** Failures that leave no doubt about what was billed, and that no clock decides: a slow machine must not change them. */
const independentFaults: Fault[] = [
  { status: 500 },
  { status: 503, retryAfter: 0 },
  { status: 429 },
  { cut: 'fin' },
  { cut: 'rst' },
  { cutAfterBytes: 900 },
  { truncated: true },
  { errorEvent: true },
  { wrongSchema: true, status: 502 },
];

/** The same numbers in [0, 1) for the same seed: https://en.wikipedia.org/wiki/Linear_congruential_generator (MMIX). */
export function seededRandom(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number(state >> 11n) / 2 ** 53;
  };
}

/** Fails a share of the calls, each for itself, and every one while `isDead` says so. */
export function failAtRandom(
  server: MockLlm,
  share: number,
  seed: number,
  isDead: () => boolean = () => false,
): void {
  const random = seededRandom(seed);
  server.behave = () => {
    const isFailing = random() < share;
    const which = Math.floor(random() * independentFaults.length);
    if (isDead()) return which % 2 ? { cut: 'rst' } : { status: 503 };
    return isFailing ? independentFaults[which]! : null;
  };
}

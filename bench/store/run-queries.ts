import type { CpuMeter } from './cpu-meter.js';

/** What a number of queries took. All times in milliseconds. */
export interface Cost {
  latencies: number[];
  elapsed: number;
  /** Processor time per query. */
  node: number;
  postgres: number;
  pooler: number;
}

export type AskOne<Result = unknown> = (index: number) => Promise<Result>;

/** Asks questions 0 to count - 1, `clients` at a time, and takes the time. */
export async function runQueries(cpu: CpuMeter, count: number, clients: number, ask: AskOne): Promise<Cost> {
  const before = await cpu.read();
  const start = performance.now();
  const latencies: number[] = [];
  let next = 0;
  const client = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      const asked = performance.now();
      await ask(index);
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = performance.now() - start;
  const after = await cpu.read();
  return {
    latencies,
    elapsed,
    node: (after.node - before.node) / count,
    postgres: (after.postgres - before.postgres) / count,
    pooler: (after.pooler - before.pooler) / count,
  };
}

export async function collect<Result>(count: number, ask: AskOne<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let index = 0; index < count; index += 1) results.push(await ask(index));
  return results;
}

import { megabytes, shown, table, thousands } from '../store/report.js';
import { median } from '../store/statistics.js';
import type { CpuShares, Ingested } from './pipeline.js';

/** R2R's published figure. */
export const TOKENS_GOAL = 160_000;
const CORES = 2;

export interface IngestRow {
  name: string;
  rounds: Ingested[];
}

export function cpuSeconds({ cpu }: Ingested): number {
  return Object.values(cpu).reduce((sum: number, seconds: number) => sum + seconds, 0);
}

export function costTable(rows: IngestRow[]): string {
  const head =
    'documents of, documents/s, tokens/s, 2 cores, accepted/s, worker RSS, largest parser, all, loop delay p50 ms, p99, max';
  return table(
    head.split(', '),
    rows.map(({ name, rounds }) => {
      const typical = (of: (each: Ingested) => number) => median(rounds.map(of));
      return [
        name,
        shown(typical(({ documents, seconds }) => documents / seconds)),
        `**${thousands(typical(({ tokens, seconds }) => tokens / seconds))}**`,
        thousands(typical((each) => (each.tokens * CORES) / cpuSeconds(each))),
        shown(typical(({ documents, acceptSeconds }) => documents / acceptSeconds)),
        megabytes(Math.max(...rounds.map(({ memory }) => memory.worker))),
        megabytes(Math.max(...rounds.map(({ memory }) => memory.parser))),
        megabytes(Math.max(...rounds.map(({ memory }) => memory.all))),
        shown(typical(({ delay }) => delay.p50)),
        shown(typical(({ delay }) => delay.p99)),
        shown(Math.max(...rounds.map(({ delay }) => delay.max))),
      ];
    }),
  );
}

export function cpuTable(rows: IngestRow[]): string {
  const shares: [keyof CpuShares, string][] = [
    ['accepting', 'accepting'],
    ['worker', 'worker'],
    ['workerThreads', "worker's threads"],
    ['parsers', 'parsers'],
    ['embedder', 'embedding server'],
    ['postgres', 'PostgreSQL'],
    ['pooler', 'pgBouncer'],
  ];
  return table(
    ['documents of', ...shares.map(([, title]) => title), 'all', 'transactions'],
    rows.map(({ name, rounds }) => [
      name,
      ...shares.map(([share]) =>
        shown(median(rounds.map(({ cpu, documents }) => (cpu[share] * 1_000) / documents))),
      ),
      shown(median(rounds.map((each) => (cpuSeconds(each) * 1_000) / each.documents))),
      shown(median(rounds.map(({ transactions, documents }) => transactions / documents))),
    ]),
  );
}

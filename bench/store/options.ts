import { parseArgs } from 'node:util';

export const measureNames = [
  'growth',
  'overhead',
  'http',
  'halfvec',
  'hybrid',
  'pooler',
  'filters',
  'scopes',
  'batches',
  'writes',
  'peers',
] as const;

export type MeasureName = (typeof measureNames)[number];

export interface Options {
  /** Chunks in the store, ascending; each size is a database of its own. */
  sizes: number[];
  measures: ReadonlySet<MeasureName>;
  /** Writes bench/RESULTS.md and docs/store-growth.svg. */
  write: boolean;
  /** As it was typed, for the results. */
  command: string;
}

/** @throws {Error} saying which option is wrong */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      sizes: { type: 'string', default: '1000,5000,10000,100000,250000' },
      only: { type: 'string', default: measureNames.join(',') },
      write: { type: 'boolean', default: false },
    },
  });
  const sizes = values.sizes.split(',').map(Number);
  if (!sizes.every((size) => Number.isInteger(size) && size >= 1_000 && size % 1_000 === 0)) {
    throw new Error('--sizes takes multiples of 1000, separated by commas');
  }
  const measures = values.only.split(',');
  const unknown = measures.find((name) => !measureNames.includes(name as MeasureName));
  if (unknown !== undefined) throw new Error(`--only knows ${measureNames.join(', ')}; not "${unknown}"`);
  return {
    sizes: sizes.sort((a, b) => a - b),
    measures: new Set(measures as MeasureName[]),
    write: values.write,
    command: ['npm run bench:store', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  };
}

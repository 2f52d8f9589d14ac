import { parseArgs } from 'node:util';

export const measureNames = ['server', 'embedded', 'local', 'jobs', 'search'] as const;

export type MeasureName = (typeof measureNames)[number];

export interface Options {
  measures: ReadonlySet<MeasureName>;
  rounds: number;
  /** About so many tokens are indexed in one round. */
  tokens: number;
  /** Jobs of one round beside BullMQ. */
  jobs: number;
  /** Of each phase of the searches. */
  searchSeconds: number;
  write: boolean;
  /** As it was typed, for the results. */
  command: string;
}

const full = { rounds: 4, tokens: 300_000, jobs: 2_000, searchSeconds: 20 };
const smoke = { rounds: 1, tokens: 20_000, jobs: 200, searchSeconds: 2 };

/** @throws {Error} saying which option is wrong */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: measureNames.join(',') },
      rounds: { type: 'string' },
      tokens: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const measures = values.only.split(',');
  const unknown = measures.find((name) => !measureNames.includes(name as MeasureName));
  if (unknown !== undefined) throw new Error(`--only knows ${measureNames.join(', ')}; not "${unknown}"`);
  const defaults = values.smoke ? smoke : full;
  return {
    ...defaults,
    measures: new Set(measures as MeasureName[]),
    rounds: positive('rounds', values.rounds, defaults.rounds),
    tokens: positive('tokens', values.tokens, defaults.tokens),
    write: values.write,
    command: ['npm run bench:indexing', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  };
}

function positive(name: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a whole number above 0`);
}

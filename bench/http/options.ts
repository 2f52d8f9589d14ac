import { parseArgs } from 'node:util';

export const measureNames = ['guards', 'overload', 'streams', 'sockets'] as const;

export type MeasureName = (typeof measureNames)[number];

export interface Options {
  measures: ReadonlySet<MeasureName>;
  /** Of servers that take turns. */
  rounds: number;
  /** Of one round. */
  requests: number;
  /** Of each phase under load. */
  seconds: number;
  /** At the same time. */
  streams: number;
  idleSockets: number;
  slowSockets: number;
  write: boolean;
  /** As it was typed, for the results. */
  command: string;
}

const full = {
  rounds: 5,
  requests: 3_000,
  seconds: 10,
  streams: 1_000,
  idleSockets: 10_000,
  slowSockets: 5_000,
};
const smoke = { rounds: 1, requests: 500, seconds: 2, streams: 50, idleSockets: 200, slowSockets: 200 };

/** @throws {Error} saying which option is wrong */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: measureNames.join(',') },
      smoke: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const measures = values.only.split(',');
  const unknown = measures.find((name) => !measureNames.includes(name as MeasureName));
  if (unknown !== undefined) throw new Error(`--only knows ${measureNames.join(', ')}; not "${unknown}"`);
  return {
    ...(values.smoke ? smoke : full),
    measures: new Set(measures as MeasureName[]),
    write: values.write,
    command: ['npm run bench:http', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  };
}

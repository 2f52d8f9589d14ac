import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../store/statistics.js';
import { goal, megabytes, shown, type Section, table } from '../../store/report.js';
import { assertAnswered, closedLoop } from '../closed-loop.js';
import { ForkedServer } from '../forked-server.js';
import type { Measured } from '../measured.js';

const HEALTHY_CLIENTS = 4;
const HEALTHY_REQUESTS = 500;
const OPENED_AT_ONCE = 250;
const CLOSED_WITHIN_S = 15;
const SLOWER_MAX = 2;
const DRIP_MS = 1_000;

const asked = {
  path: '/search',
  body: (number: number) => ({ question: `How often is the oil of pump ${number % 100} changed?` }),
};

/** What is written at once, and again each second. */
interface Slowness {
  name: string;
  first: string;
  drip: string;
}

const silent: Slowness[] = [{ name: 'idle: send nothing', first: '', drip: '' }];

const slow = ({ key }: ForkedServer): Slowness[] => [
  {
    name: 'slow headers: one a second',
    first: 'GET /health HTTP/1.1\r\nhost: localhost\r\n',
    drip: 'x-a: b\r\n',
  },
  {
    name: 'slow body: a byte a second',
    first: `POST /search HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{`,
    drip: ' ',
  },
  {
    name: 'slow reading: many answers asked for, none read',
    first: 'GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(50),
    drip: '',
  },
];

interface Outcome {
  name: string;
  sockets: number;
  opened: number;
  closedWithinS: number;
  rssBefore: number;
  rssMax: number;
  healthyBefore: number;
  healthyMeanwhile: number;
}

/** Sockets that only take up room: what they cost, whether others notice, and when they are closed. */
export async function measureSockets({ environment, options }: Measured): Promise<Section> {
  const outcomes: Outcome[] = [];
  for (const [kind, count] of [
    ['idle', options.idleSockets],
    ['slow', options.slowSockets],
  ] as const) {
    const server = await ForkedServer.start('Ragstone', 'ragstone.js', {
      ...environment,
      BENCH_WITHOUT_SEARCH: '1',
    });
    try {
      const kinds = kind === 'idle' ? silent : slow(server);
      for (const slowness of kinds)
        outcomes.push(await hold(server, slowness, Math.floor(count / kinds.length)));
      if (kind === 'slow') outcomes.push(await holdAll(server, kinds, count));
    } finally {
      await server.stop();
    }
  }
  const isMet = outcomes.every(
    ({ closedWithinS, healthyBefore, healthyMeanwhile }) =>
      closedWithinS <= CLOSED_WITHIN_S && healthyMeanwhile <= healthyBefore * SLOWER_MAX,
  );
  const limit = /Max open files +(\d+)/.exec(
    await readFile('/proc/self/limits', 'utf8').catch(() => ''),
  )?.[1];
  return {
    title: 'Sockets that only take up room',
    body: `${goal(`closed within ${CLOSED_WITHIN_S} s, p99 of other clients meanwhile at most ${SLOWER_MAX} x`, isMet)}

Open files were limited to ${limit ?? 'an unknown number'} a process. ${HEALTHY_CLIENTS} other clients send POST /search (with key, schema and limits, the search cut out)
all the while. Time from the last socket's opening until all are closed.

${table(
  ['sockets', 'opened', 'closed within', 'memory before', 'at most', 'others, p99 before', 'meanwhile'],
  outcomes.map((outcome) => [
    `${outcome.sockets} ${outcome.name}`,
    outcome.opened,
    `${shown(outcome.closedWithinS)} s`,
    megabytes(outcome.rssBefore),
    megabytes(outcome.rssMax),
    `${shown(outcome.healthyBefore)} ms`,
    `${shown(outcome.healthyMeanwhile)} ms`,
  ]),
)}`,
  };
}

function hold(server: ForkedServer, slowness: Slowness, count: number): Promise<Outcome> {
  return holdEach(
    server,
    slowness.name,
    Array.from({ length: count }, () => slowness),
  );
}

function holdAll(server: ForkedServer, kinds: Slowness[], count: number): Promise<Outcome> {
  return holdEach(
    server,
    'of all three',
    Array.from({ length: count }, (_, n) => kinds[n % kinds.length]!),
  );
}

async function holdEach(server: ForkedServer, name: string, each: readonly Slowness[]): Promise<Outcome> {
  const healthyBefore = percentile(await healthy(server), 0.99);
  const rssBefore = (await server.usage()).rssBytes;
  const { hostname, port } = new URL(server.url);
  const open = new Set<Socket>();
  let opened = 0;
  const drips: NodeJS.Timeout[] = [];
  for (let index = 0; index < each.length; index += OPENED_AT_ONCE) {
    for (const { first, drip } of each.slice(index, index + OPENED_AT_ONCE)) {
      const socket = connect(Number(port), hostname);
      open.add(socket);
      socket.once('connect', () => {
        opened += 1;
        if (first !== '') socket.write(first);
        if (drip !== '')
          drips.push(setInterval(() => socket.writable && socket.write(drip), DRIP_MS).unref());
      });
      socket.on('error', () => undefined);
      socket.once('close', () => open.delete(socket));
      // A socket that is not read never hears of its end: of those, only the server's closing by reset is seen.
      if (!first.includes('openapi')) socket.resume();
    }
    await sleep(20);
  }
  const start = performance.now();
  const latencies: number[] = [];
  let rssMax = 0;
  let closedAt: number | null = null;
  while (performance.now() - start < 60_000) {
    rssMax = Math.max(rssMax, (await server.usage()).rssBytes);
    latencies.push(...(await healthy(server)));
    if (open.size === 0) {
      closedAt = performance.now();
      break;
    }
  }
  for (const drip of drips) clearInterval(drip);
  for (const socket of open) socket.destroy();
  return {
    name,
    sockets: each.length,
    opened,
    closedWithinS: closedAt === null ? Number.POSITIVE_INFINITY : (closedAt - start) / 1_000,
    rssBefore,
    rssMax,
    healthyBefore,
    healthyMeanwhile: percentile(latencies, 0.99),
  };
}

async function healthy(server: ForkedServer): Promise<number[]> {
  const result = await closedLoop(server, asked, { clients: HEALTHY_CLIENTS, requests: HEALTHY_REQUESTS });
  assertAnswered(server.name, result);
  return result.latencies;
}

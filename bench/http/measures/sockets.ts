import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../store/statistics.js';
import { goal, megabytes, shown, type Section, table } from '../../store/report.js';
import { closedLoop, type LoopResult } from '../closed-loop.js';
import { ForkedServer } from '../forked-server.js';
import type { Measured } from '../measured.js';

const HEALTHY_CLIENTS = 4;
const HEALTHY_REQUESTS = 500;
const OPENED_AT_ONCE = 250;
const CLOSED_WITHIN_S = 15;
const SLOWER_MAX = 2;
const DRIP_MS = 1_000;
const GIVEN_UP_MS = 60_000;

const asked = {
  path: '/search',
  body: (number: number) => ({ question: `How often is the oil of pump ${number % 100} changed?` }),
};

/** What is written at once, and again each second. */
interface Slowness {
  name: string;
  first: string;
  drip: string;
  /** Of the wanted number: unread answers fill the kernel's buffers, megabytes each. */
  share: number;
}

const silent: Slowness[] = [{ name: 'idle: send nothing', first: '', drip: '', share: 1 }];

const slow = ({ key }: ForkedServer): Slowness[] => [
  {
    name: 'slow headers: one a second',
    first: 'GET /health HTTP/1.1\r\nhost: localhost\r\n',
    drip: 'x-a: b\r\n',
    share: 1,
  },
  {
    name: 'slow body: a byte a second',
    first: `POST /search HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{`,
    drip: ' ',
    share: 1,
  },
  {
    name: 'slow reading: many answers asked for, none read',
    first: 'GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(50),
    drip: '',
    share: 0.1,
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
  othersRefused: number;
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
        outcomes.push(await hold(server, slowness, Math.floor(count * slowness.share)));
    } finally {
      await server.stop();
    }
  }
  const isMet = outcomes.every(
    ({ closedWithinS, healthyBefore, healthyMeanwhile, othersRefused }) =>
      closedWithinS <= CLOSED_WITHIN_S &&
      healthyMeanwhile <= healthyBefore * SLOWER_MAX &&
      othersRefused === 0,
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
  [
    'sockets',
    'opened',
    'closed within',
    'memory before',
    'at most',
    'others, p99 before',
    'meanwhile',
    'refused',
  ],
  outcomes.map((outcome) => [
    `${outcome.sockets} ${outcome.name}`,
    outcome.opened,
    `${shown(outcome.closedWithinS)} s`,
    megabytes(outcome.rssBefore),
    megabytes(outcome.rssMax),
    `${shown(outcome.healthyBefore)} ms`,
    `${shown(outcome.healthyMeanwhile)} ms`,
    outcome.othersRefused,
  ]),
)}`,
  };
}

async function hold(server: ForkedServer, slowness: Slowness, sockets: number): Promise<Outcome> {
  const healthyBefore = (await healthy(server)).latencies;
  const before = await server.usage();
  const held = await openAll(server, slowness, sockets);
  const start = performance.now();
  const latencies: number[] = [];
  let [rssMax, othersRefused, closedWithinS] = [0, 0, Number.POSITIVE_INFINITY];
  while (closedWithinS === Number.POSITIVE_INFINITY && performance.now() - start < GIVEN_UP_MS) {
    const others = await healthy(server);
    latencies.push(...others.latencies);
    othersRefused += others.latencies.length - (others.statuses[200] ?? 0);
    const { rssBytes, files } = await server.usage();
    rssMax = Math.max(rssMax, rssBytes);
    if (files <= before.files + HEALTHY_CLIENTS) closedWithinS = (performance.now() - start) / 1_000;
  }
  held.release();
  return {
    name: slowness.name,
    sockets,
    opened: held.opened(),
    closedWithinS,
    rssBefore: before.rssBytes,
    rssMax,
    healthyBefore: percentile(healthyBefore, 0.99),
    healthyMeanwhile: percentile(latencies, 0.99),
    othersRefused,
  };
}

async function openAll({ url }: ForkedServer, { first, drip }: Slowness, count: number) {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  let opened = 0;
  while (sockets.length < count) {
    for (let n = 0; n < OPENED_AT_ONCE && sockets.length < count; n += 1) {
      const socket = connect(Number(port), hostname);
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('connect', () => {
        opened += 1;
        if (first !== '') socket.write(first);
        if (drip === '') return;
        const dripping = setInterval(() => socket.writable && socket.write(drip), DRIP_MS);
        socket.once('close', () => clearInterval(dripping));
      });
      if (first === '' || drip !== '') socket.resume();
      else socket.pause();
    }
    await sleep(20);
  }
  return {
    opened: () => opened,
    release: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function healthy(server: ForkedServer): Promise<LoopResult> {
  return closedLoop(server, asked, { clients: HEALTHY_CLIENTS, requests: HEALTHY_REQUESTS });
}

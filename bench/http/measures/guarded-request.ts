import { median } from '../../store/statistics.js';
import { shown, type Section, table, times } from '../../store/report.js';
import { assertAnswered, closedLoop } from '../closed-loop.js';
import { ForkedServer } from '../forked-server.js';
import type { Measured } from '../measured.js';
import { openLoop } from '../open-loop.js';

const CLIENTS = 16;
const PER_SECOND = 1_500;
const CONNECTIONS = 64;
const CPU_US_MAX = 60;
const TIMES_NEST_MAX = 3;
const NEST = 'bare Nest + Fastify';
const OURS = 'Ragstone';

const asked = {
  path: '/search',
  body: (number: number) => ({ question: `How often is the oil of pump ${number % 100} changed?`, top_k: 5 }),
};

type Load = 'arriving' | 'closed';
type Costs = Map<string, Record<Load, number[]>>;

/** What the way to an endpoint costs: key, schema, token buckets, metrics, log line, headers. */
export async function measureGuardedRequest({ environment, redisUrl, options }: Measured): Promise<Section> {
  const guarded = { ...environment, BENCH_WITHOUT_SEARCH: '1' };
  const starts: [name: string, script: string, environment?: Record<string, string>][] = [
    ['bare Fastify', 'bare-fastify.js'],
    [NEST, 'bare-nest.js'],
    ['bare Express', 'bare-express.js'],
    [OURS, 'ragstone.js', guarded],
  ];
  if (redisUrl)
    starts.push([`${OURS}, buckets in Redis`, 'ragstone.js', { ...guarded, REDIS_URL: redisUrl }]);
  const servers: ForkedServer[] = [];
  const costs: Costs = new Map();
  try {
    for (const start of starts) servers.push(await ForkedServer.start(...start));
    for (const { name } of servers) costs.set(name, { arriving: [], closed: [] });
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const load of ['arriving', 'closed'] as const) {
        for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
          const cpuUs = await costOf(server, load, options.requests);
          if (round > 0) costs.get(server.name)![load].push(cpuUs); // the first warms up
        }
      }
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  return report(costs, options);
}

async function costOf(server: ForkedServer, load: Load, requests: number): Promise<number> {
  const before = await server.usage();
  if (load === 'closed')
    assertAnswered(server.name, await closedLoop(server, asked, { clients: CLIENTS, requests }));
  else {
    const seconds = requests / PER_SECOND;
    const { accepted } = await openLoop(server, asked, {
      perSecond: PER_SECOND,
      seconds,
      connections: CONNECTIONS,
    });
    if (accepted.length < requests) throw new Error(`${server.name} did not answer all`);
  }
  return ((await server.usage()).cpuUs - before.cpuUs) / requests;
}

function report(costs: Costs, { rounds, requests }: Measured['options']): Section {
  const own = (name: string, load: Load) => median(costs.get(name)![load]);
  const toNest = (name: string, load: Load) =>
    median(costs.get(name)![load].map((cost, round) => cost / costs.get(NEST)![load][round]!));
  const verdict = (load: Load) =>
    own(OURS, load) <= CPU_US_MAX || toNest(OURS, load) <= TIMES_NEST_MAX ? 'met' : 'missed';
  const rows = [...costs.keys()].map((name) => [
    name,
    shown(own(name, 'arriving')),
    times(toNest(name, 'arriving')),
    shown(own(name, 'closed')),
    times(toNest(name, 'closed')),
  ]);
  return {
    title: 'What the way to an endpoint costs',
    body: `Goal: at most ${CPU_US_MAX} us of processor time a request, or ${TIMES_NEST_MAX} x bare Nest on Fastify. **Under the same load: ${verdict('arriving')}. As fast as it goes: ${verdict('closed')}.**

POST /search with an API key, its body and its answer checked by their schemas, two token buckets, metrics, security headers, a log line
a request; the search itself is cut out and finds nothing. The others parse the same body, send the same answer and do nothing
else. ${rounds} rounds of ${requests.toLocaleString('en-US')} requests that take turns; medians, ratios of the same round. The same load: ${PER_SECOND.toLocaleString('en-US')} requests a second
arrive at each. As fast as it goes: ${CLIENTS} clients that ask again at once; there the faster server has more requests to a turn of
its event loop and wakes fewer clients, which makes each cheaper still.

${table(
  ['server', 'the same load: CPU us a request', 'to bare Nest', 'as fast as it goes: CPU us', 'to bare Nest'],
  rows,
)}`,
  };
}

import { cpuPerQuery, interleave, ratio, typical } from '../interleave.js';
import { loadLanceDb } from '../peers/lancedb.js';
import { loadLangchain } from '../peers/langchain.js';
import { loadOrama } from '../peers/orama.js';
import { loadOurs } from '../peers/ours.js';
import type { LoadedPeer } from '../peers/peer.js';
import { type Cell, type Section, shown, table, thousands, times } from '../report.js';
import { type Cost, collect, runQueries } from '../run-queries.js';
import { percentile, recall } from '../statistics.js';
import type { Store } from '../store.js';

const ROUNDS = 3;
const LIMIT = 10;
/** A round of a slow peer asks fewer questions. */
const ROUND_MS = 4_000;

/** The same data and questions in other stores. */
export async function measurePeers(store: Store): Promise<Section> {
  const loaded = [];
  for (const load of [loadOurs, loadLangchain, loadLanceDb, loadOrama]) loaded.push(await load(store));
  const peers = loaded.filter((peer) => typeof peer !== 'string');
  const reasons = loaded.filter((peer) => typeof peer === 'string');
  try {
    const nearest = await searched(store, peers, ({ nearest: ask }) => ask);
    const lexical = await searched(store, peers, ({ lexical: ask }) => ask);
    return {
      title: `Peers at ${thousands(store.size)} chunks`,
      body: `${LIMIT} nearest vectors, one client. Ours is searched as in production (\`ef_search\` 100); the peers with their defaults (LanceDB with 4 threads). Embedded
ones run in this process: no connection, no transaction, no other process that could read the data.

${table(
  ['vectors', 'recall@10', 'p50 ms', 'p95 ms', 'CPU ms/query', 'p50 against ours', 'CPU against ours'],
  await Promise.all(
    nearest.map(async ({ peer, cells, found }) => [
      peer.name,
      recall(found, (await store.truth()).slice(0, found.length)).toFixed(4),
      ...cells,
    ]),
  ),
)}

${table(
  ['full text', 'p50 ms', 'p95 ms', 'CPU ms/query', 'p50 against ours', 'CPU against ours'],
  lexical.map(({ peer, cells }) => [peer.name, ...cells]),
)}

${table(
  ['', 'load s (text index included)', 'vector index s', 'size'],
  peers.map(({ name, loadSeconds, buildSeconds, size }) => [
    name,
    shown(loadSeconds),
    buildSeconds === 0 ? 'none' : shown(buildSeconds),
    size,
  ]),
)}
${reasons.map((reason) => `\n${reason}.\n`).join('')}`,
    };
  } finally {
    for (const peer of peers) await peer.close();
  }
}

type Ask = (index: number, limit: number) => Promise<string[]>;

async function searched(store: Store, all: LoadedPeer[], of: (peer: LoadedPeer) => Ask | null) {
  const peers = all.filter((peer) => of(peer) !== null);
  const counts = new Map<string, number>();
  for (const peer of peers) {
    await of(peer)!(1, LIMIT);
    const start = performance.now();
    await of(peer)!(0, LIMIT);
    const count = Math.round(ROUND_MS / (performance.now() - start));
    counts.set(peer.name, Math.max(10, Math.min(store.questions.length, count)));
  }
  const costs = await interleave(
    ROUNDS,
    Object.fromEntries(
      peers.map((peer) => [
        peer.name,
        () => runQueries(store.cpu, counts.get(peer.name)!, 1, (index) => of(peer)!(index, LIMIT)),
      ]),
    ),
  );
  const ours = costs[peers[0]!.name]!;
  const results = [];
  for (const peer of peers) {
    const own = costs[peer.name]!;
    results.push({
      peer,
      cells: cellsOf(own, ours),
      found: await collect(counts.get(peer.name)!, (index) => of(peer)!(index, LIMIT)),
    });
  }
  return results;
}

function cellsOf(own: Cost[], ours: Cost[]): Cell[] {
  const p50 = ({ latencies }: Cost) => percentile(latencies, 0.5);
  return [
    shown(typical(own, p50)),
    shown(typical(own, ({ latencies }) => percentile(latencies, 0.95))),
    shown(typical(own, cpuPerQuery)),
    times(ratio(own, ours, p50)),
    times(ratio(own, ours, cpuPerQuery)),
  ];
}

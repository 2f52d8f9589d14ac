import { Client } from 'pg';
import { DEFAULT_TENANT, halfvecBinary, halfvecLiteral } from '#libs/database';
import { cpuPerQuery, interleave, ratio, type Rounds, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { type Cell, goal, megabytes, shown, table, thousands, times } from '../report.js';
import { type Cost, collect, runQueries } from '../run-queries.js';
import { percentile, recall } from '../statistics.js';
import type { Store } from '../store.js';
import { DIMENSIONS } from '../synthetic-vectors.js';
import { vectorBinary } from '../vector-array.js';

const ROUNDS = 7;
const TARGETS = [0.95, 0.99];
const CPU_MAX = 0.65;
const EF_MAX = 400;
const LIMIT = 10;

type SideName = 'ours' | 'peer' | 'binary';

/** One index with a session of its own, asked with a chosen `hnsw.ef_search`. */
interface Side {
  setEffort(ef: number): Promise<void>;
  ask(index: number): Promise<string[]>;
}

/** Our half-precision index against the one that pgvector's README makes, each as wide as it must be for one recall. */
export const measureHalfvec: Measure = async (store) => {
  const plain = await store.plainTable();
  const ourClient = new Client({ connectionString: store.bench.urls.direct });
  const plainClient = new Client({ connectionString: store.bench.urls.owner });
  await ourClient.connect();
  await plainClient.connect();
  try {
    const ours = await ourSide(ourClient, store);
    const peer = plainSide(plainClient, plain.name, store, 'text');
    const binary = plainSide(plainClient, plain.name, store, 'binary');
    const rows: Cell[][] = [];
    const ratios: number[] = [];
    for (const target of TARGETS) {
      const efforts = {
        ours: await smallestEffort(ours, store, target),
        peer: await smallestEffort(peer, store, target),
      };
      await ours.setEffort(efforts.ours.ef);
      await peer.setEffort(efforts.peer.ef);
      const run = (side: Side) => () => runQueries(store.cpu, store.questions.length, 1, side.ask);
      const costs = await interleave(ROUNDS, { ours: run(ours), peer: run(peer), binary: run(binary) });
      ratios.push(ratio(costs.ours, costs.peer, cpuPerQuery));
      rows.push(
        rowOf(`halfvec, ours, recall >= ${target}`, efforts.ours, costs, 'ours'),
        rowOf(`vector, default, recall >= ${target}`, efforts.peer, costs, 'peer'),
        rowOf(`vector, question in binary, recall >= ${target}`, efforts.peer, costs, 'binary'),
        ratioRow('ours : default', costs.ours, costs.peer),
        ratioRow('ours : the same in binary', costs.ours, costs.binary),
      );
    }
    const sizes = await sizesOf(store, plain.name);
    return {
      title: 'halfvec against vector',
      body: `${goal(`at most ${CPU_MAX} x the processor time of pgvector's default at equal recall@10 >= 0.95`, ratios[0]! <= CPU_MAX)}

${thousands(store.size)} chunks, ${LIMIT} nearest, one client, direct, prepared. \`hnsw.ef_search\` is the smallest that reaches the recall, set for the
session. Ours, as in production: the partition with row-level security, collection condition, relaxed iterative scan, the
question's vector in binary. The peer: \`create table (id uuid, embedding vector(${DIMENSIONS}))\`,
\`using hnsw (embedding vector_cosine_ops)\`, the vector as text of 7 digits, as pgvector's client library sends it.
The goal is counted against that; against the same question in binary only the index and the row are compared.

${table(['', 'ef_search', 'recall@10', 'p50 ms', 'PostgreSQL ms', 'CPU ms/query'], rows)}

${table(
  ['', 'table', 'HNSW index', 'build s'],
  [
    ['halfvec, ours', megabytes(sizes.ourTable), megabytes(sizes.ourIndex), shown(store.buildSeconds)],
    ['vector, default', megabytes(sizes.plainTable), megabytes(sizes.plainIndex), shown(plain.buildSeconds)],
    [
      '**ratio**',
      times(sizes.ourTable / sizes.plainTable),
      times(sizes.ourIndex / sizes.plainIndex),
      times(store.buildSeconds / plain.buildSeconds),
    ],
  ],
)}`,
    };
  } finally {
    await ourClient.end();
    await plainClient.end();
  }
};

interface Effort {
  ef: number;
  recall: number;
}

/** By halving: recall grows with ef_search. */
async function smallestEffort(side: Side, store: Store, target: number): Promise<Effort> {
  const truth = await store.truth();
  const reached = async (ef: number) => {
    await side.setEffort(ef);
    return recall(await collect(truth.length, side.ask), truth);
  };
  let low = LIMIT;
  let high = EF_MAX;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await reached(middle)) >= target) high = middle;
    else low = middle + 1;
  }
  return { ef: high, recall: await reached(high) };
}

async function ourSide(client: Client, { space, collection, questions }: Store): Promise<Side> {
  await client.query(`select set_config('ragstone.tenant_id', '${DEFAULT_TENANT}', false)`);
  await client.query(`set hnsw.iterative_scan = 'relaxed_order'; set enable_sort = off`);
  const distance = `e.embedding::halfvec(${DIMENSIONS}) <=> $1::halfvec(${DIMENSIONS})`;
  return {
    setEffort: (ef) => setEffort(client, ef),
    ask: (index) =>
      ids(client, {
        name: 'ours',
        text: `
          select e.chunk_id as id, ${distance} as distance from chunk_embeddings_${space.number} e
          where e.collection_id = $2::uuid order by ${distance} limit ${LIMIT}`,
        values: [halfvecBinary(questions[index]!.embedding), collection.id],
      }),
  };
}

/** @param format of the question's vector: text is what pgvector's own client library sends */
function plainSide(client: Client, name: string, { questions }: Store, format: 'text' | 'binary'): Side {
  const sent = (vector: Float32Array) => (format === 'text' ? halfvecLiteral(vector) : vectorBinary(vector));
  return {
    setEffort: (ef) => setEffort(client, ef),
    ask: (index) =>
      ids(client, {
        name: `plain_${format}`,
        text: `select id, embedding <=> $1 as distance from ${name} order by embedding <=> $1 limit ${LIMIT}`,
        values: [sent(questions[index]!.embedding)],
      }),
  };
}

async function setEffort(client: Client, ef: number): Promise<void> {
  await client.query(`set hnsw.ef_search = ${ef}`);
}

async function ids(
  client: Client,
  query: { name: string; text: string; values: unknown[] },
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(query);
  return rows.map(({ id }) => id);
}

function ratioRow(name: string, ours: Cost[], peer: Cost[]): Cell[] {
  return [
    `**${name}**`,
    '',
    '',
    times(ratio(ours, peer, ({ latencies }) => percentile(latencies, 0.5))),
    times(ratio(ours, peer, ({ postgres }) => postgres)),
    `**${times(ratio(ours, peer, cpuPerQuery))}**`,
  ];
}

function rowOf(name: string, effort: Effort, costs: Rounds<SideName>, side: SideName): Cell[] {
  return [
    name,
    effort.ef,
    effort.recall.toFixed(4),
    shown(typical(costs[side], ({ latencies }) => percentile(latencies, 0.5))),
    shown(typical(costs[side], ({ postgres }) => postgres)),
    shown(typical(costs[side], cpuPerQuery)),
  ];
}

async function sizesOf({ owner, space }: Store, plain: string) {
  const ours = `chunk_embeddings_${space.number}`;
  const { rows } = await owner.query<Record<'ourTable' | 'ourIndex' | 'plainTable' | 'plainIndex', string>>(
    `select pg_table_size($1::regclass) as "ourTable", pg_relation_size($2::regclass) as "ourIndex",
       pg_table_size($3::regclass) as "plainTable", pg_relation_size($4::regclass) as "plainIndex"`,
    [ours, `${ours}_hnsw`, plain, `${plain}_hnsw`],
  );
  const [row] = rows;
  return {
    ourTable: Number(row!.ourTable),
    ourIndex: Number(row!.ourIndex),
    plainTable: Number(row!.plainTable),
    plainIndex: Number(row!.plainIndex),
  };
}

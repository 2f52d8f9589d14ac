import { finished } from 'node:stream/promises';
import { randomUUID } from 'node:crypto';
import type { Submittable } from 'pg';
import { halfvecArray, halfvecLiteral } from '#libs/database';
import { copyBytes } from '../copy-bytes.js';
import { importPeer } from '../import-peer.js';
import type { Measure } from '../measure.js';
import { type Cell, shown, table, thousands, times } from '../report.js';
import { median } from '../statistics.js';
import type { Store } from '../store.js';
import { DIMENSIONS } from '../synthetic-vectors.js';

const ROUNDS = 5;
/** ROWS_PER_INSERT of libs/corpus. */
const BATCH = 500;
const INDEXED_ROWS = 20_000;

interface CopyStreams {
  from(sql: string): Submittable & NodeJS.WritableStream;
}

type Write = (first: number, count: number) => Promise<void>;

/** Rows a second into a table like a partition of chunk_embeddings, by one connection. */
export const measureWrites: Measure = async (store) => {
  const { owner } = store;
  for (const name of ['writes_plain', 'writes_hnsw']) {
    await owner.query(`
      create table ${name} (space_id uuid not null, collection_id uuid not null, document_id uuid, chunk_id uuid not null,
        embedding halfvec not null, primary key (chunk_id, space_id));
      alter table ${name} alter column embedding set storage plain`);
  }
  const { rows } = await owner.query<{ oid: number }>(`select 'halfvec'::regtype::oid as oid`);
  const unnest = (name: string) => unnestInto(name, store, rows[0]!.oid);
  await filled(unnest('writes_hnsw'));
  await owner.query(
    `create index on writes_hnsw using hnsw ((embedding::halfvec(${DIMENSIONS})) halfvec_cosine_ops) with (m = 16, ef_construction = 64)`,
  );
  const copyStreams = await importPeer<CopyStreams>('pg-copy-streams');
  const ways: { name: string; write: Write; count: number; rates: number[] }[] = [
    { name: `unnest, binary, ${BATCH} rows`, write: unnest('writes_plain'), count: 5_000, rates: [] },
    ...(copyStreams
      ? [
          {
            name: 'COPY, binary',
            write: copyInto(copyStreams, 'writes_plain', store),
            count: 5_000,
            rates: [],
          },
        ]
      : []),
    { name: 'single inserts, text', write: singlesInto('writes_plain', store), count: 300, rates: [] },
    {
      name: `unnest, binary, HNSW on ${thousands(INDEXED_ROWS)} rows`,
      write: unnest('writes_hnsw'),
      count: 1_000,
      rates: [],
    },
  ];
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      const start = performance.now();
      await way.write(0, way.count);
      if (round > 0) way.rates.push((way.count * 1_000) / (performance.now() - start));
    }
    await owner.query('delete from writes_plain');
  }
  const [reference] = ways;
  const cells: Cell[][] = ways.map(({ name, rates }) => [
    name,
    thousands(median(rates)),
    times(median(rates.map((rate, round) => rate / reference!.rates[round]!))),
  ]);
  return {
    title: 'Writes',
    body: `Vectors of ${DIMENSIONS} dimensions with their ids, one connection, direct, no foreign keys. The first row is what indexing does; the last
is why a space gets its index after the load: that is ${shown(median(reference!.rates) / median(ways.at(-1)!.rates))} times slower.
${copyStreams ? '' : '\nCOPY was not measured: `npm ci` in bench/peers installs what it needs.\n'}
${table(['way', 'rows/s', 'against unnest'], cells)}`,
  };
};

async function filled(write: Write): Promise<void> {
  for (let first = 0; first < INDEXED_ROWS; first += BATCH * 10) await write(first, BATCH * 10);
}

function unnestInto(name: string, store: Store, halfvecOid: number): Write {
  return async (first, count) => {
    for (let start = first; start < first + count; start += BATCH) {
      const embeddings = vectorsOf(store, start, BATCH);
      await store.owner.query({
        name: `unnest_${name}`,
        text: `
          insert into ${name} (space_id, collection_id, document_id, chunk_id, embedding)
          select $1::uuid, $2::uuid, $3::uuid, chunk_id, embedding from unnest($4::uuid[], $5::halfvec[]) as e (chunk_id, embedding)`,
        values: [
          store.space.id,
          store.collection.id,
          store.space.id,
          embeddings.map(() => randomUUID()),
          halfvecArray(embeddings, halfvecOid),
        ],
      });
    }
  };
}

function singlesInto(name: string, store: Store): Write {
  return async (first, count) => {
    for (const embedding of vectorsOf(store, first, count)) {
      await store.owner.query({
        name: `single_${name}`,
        text: `insert into ${name} (space_id, collection_id, document_id, chunk_id, embedding) values ($1, $2, $3, $4, $5::halfvec)`,
        values: [
          store.space.id,
          store.collection.id,
          store.space.id,
          randomUUID(),
          halfvecLiteral(embedding),
        ],
      });
    }
  };
}

function copyInto(copyStreams: CopyStreams, name: string, store: Store): Write {
  const { owner, space, collection } = store;
  return async (first, count) => {
    const sql = `copy ${name} (space_id, collection_id, document_id, chunk_id, embedding) from stdin (format binary)`;
    const stream = owner.query(copyStreams.from(sql));
    const ids = () => [space.id, collection.id, space.id, randomUUID()];
    stream.end(copyBytes(vectorsOf(store, first, count).map((embedding) => ({ ids: ids(), embedding }))));
    await finished(stream);
  };
}

function vectorsOf({ corpus, size }: Store, first: number, count: number): Float32Array[] {
  return Array.from({ length: count }, (_, index) => corpus.embedding((first + index) % size));
}

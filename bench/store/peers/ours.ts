import { megabytes } from '../report.js';
import type { LoadPeer } from './peer.js';

export const loadOurs: LoadPeer = async (store) => {
  const { chunks } = store.pooled;
  const { rows } = await store.owner.query<{ bytes: string }>(
    `select pg_total_relation_size($1::regclass) + pg_total_relation_size('chunks') as bytes`,
    [`chunk_embeddings_${store.space.number}`],
  );
  return {
    name: 'Ragstone through pgBouncer',
    nearest: async (index, limit) =>
      (await chunks.findNearest(store.nearest(index, limit, 'hnsw'))).map(({ id }) => id),
    lexical: async (index, limit) =>
      (await chunks.findLexical(store.lexical(index, limit))).map(({ id }) => id),
    loadSeconds: store.loadSeconds,
    buildSeconds: store.buildSeconds,
    size: `${megabytes(Number(rows[0]!.bytes))} on disk, all indexes`,
    close: () => Promise.resolve(),
  };
};

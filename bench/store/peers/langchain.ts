import { megabytes } from '../report.js';
import type { Store } from '../store.js';
import type { LoadPeer } from './peer.js';

/**
 * `PGVectorStore.similaritySearchVectorWithScore` of @langchain/community 1.1.29: its SQL to the letter, its vector as
 * text with all digits, unprepared, and `select *`, so that the vector comes back, too.
 */
export async function askLangchain(
  store: Store,
  tableName: string,
  index: number,
  limit: number,
  filter: Record<string, unknown> = {},
): Promise<string[]> {
  const conditions = Object.keys(filter).map((key, at) => `metadata->>'${key}' = $${at + 3}`);
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const { rows } = await store.plain.query<{ id: string }>(
    `
      SELECT *, "embedding" <=> $1 as "_distance"
      FROM ${tableName}
      ${where}
      ORDER BY "_distance" ASC
      LIMIT $2;
      `,
    [`[${store.questions[index]!.embedding.join(',')}]`, limit, ...Object.values(filter)],
  );
  return rows.map(({ id }) => id);
}

export const loadLangchain: LoadPeer = async (store) => {
  const made = await store.langchainTable();
  const { rows } = await store.owner.query<{ bytes: string }>(
    `select pg_total_relation_size($1::regclass) as bytes`,
    [made.name],
  );
  return {
    name: "LangChain's PGVectorStore (its SQL), direct",
    nearest: (index, limit) => askLangchain(store, made.name, index, limit),
    lexical: null,
    loadSeconds: store.size / made.loadRowsPerSecond,
    buildSeconds: made.buildSeconds,
    size: `${megabytes(Number(rows[0]!.bytes))} on disk, all indexes`,
    close: () => Promise.resolve(),
  };
};

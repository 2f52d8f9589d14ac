import type { Database } from '#libs/database';

/**
 * Everything that is stored of the documents of a collection, a hash a document: ordinal, text, heading, span, words and
 * vector of each chunk, and the extracted text. Two collections with the same content have the same.
 */
export async function fingerprints(
  database: Database,
  collection: string,
): Promise<Record<string, { chunks: number; hash: string }>> {
  const rows = await database.query<{ external_id: string; chunks: number; hash: string }>({
    text: `
      select d.external_id, count(k.id)::integer as chunks, md5(string_agg(concat_ws('|', k.ordinal, k.body, k.heading_path, k.page,
        k.char_start, k.char_end, k.token_count, k.body_sha256, k.lexical_text, k.group_number, e.embedding), '~'
        order by k.ordinal) || d.title || coalesce((
          select string_agg(concat_ws('|', t.char_start, t.body), '~' order by t.part)
          from document_texts t join document_versions v on v.id = t.version_id
          where v.document_id = d.id and v.version = d.current_version), '')) as hash
      from documents d join collections c on c.id = d.collection_id
      left join chunks k on k.document_id = d.id
      left join chunk_embeddings e on e.chunk_id = k.id
      where c.name = $1::text
      group by d.id`,
    values: [collection],
  });
  return Object.fromEntries(rows.map((row) => [row.external_id, { chunks: row.chunks, hash: row.hash }]));
}

const currentVersion = `document_versions v join documents d on d.id = v.document_id and d.current_version = v.version`;

/** What must not be left when all jobs have ended well: a name and the query that counts it. */
const leftovers = {
  'staged chunks': 'select from staged_chunks',
  'documents without a version': 'select from documents where current_version is null',
  'chunks of a version that is not current': `select from chunks k where not exists (select from ${currentVersion} where v.id = k.version_id)`,
  'chunks without a vector':
    'select from chunks k where not exists (select from chunk_embeddings e where e.chunk_id = k.id)',
  'vectors without a chunk':
    'select from chunk_embeddings e where not exists (select from chunks k where k.id = e.chunk_id)',
  'texts of a version that is not current': `select from document_texts t where not exists (select from ${currentVersion} where v.id = t.version_id)`,
  'sources of a version that is not current': `select from document_sources s where not exists (select from ${currentVersion} where v.id = s.version_id)`,
  'current versions without their source': `select from ${currentVersion} where not exists (select from document_sources s where s.version_id = v.id)`,
  'current versions that are not ready': `select from ${currentVersion} where v.status <> 'ready'`,
  'ready versions that are not current': `select from document_versions o where o.status = 'ready' and not exists (select from ${currentVersion} where v.id = o.id)`,
  'versions with another number of chunks than they say': `
    select from ${currentVersion} where v.chunk_count <> (select count(*) from chunks k where k.version_id = v.id)`,
  'gaps in the ordinals':
    'select from chunks group by version_id having max(ordinal) <> count(*) - 1 or min(ordinal) <> 0',
  'jobs that are open': `select from index_jobs where status in ('queued', 'running')`,
} as const;

/** What is left over, with its number; empty when all is as it should be. */
export async function findLeftovers(database: Database): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [name, query] of Object.entries(leftovers)) {
    const [row] = await database.query<{ count: number }>({
      text: `select count(*)::integer as count from (${query}) left_over`,
    });
    if (row!.count > 0) found[name] = row!.count;
  }
  const [queued] = await database.withoutTenant.query<{ count: number }>({
    text: `select count(*)::integer as count from pgboss.job where name = 'index-document' and state <= 'active'`,
  });
  if (queued!.count > 0) found['jobs in the queue'] = queued!.count;
  return found;
}

/** No job is open and none is in the queue. */
export async function isIdle(database: Database): Promise<boolean> {
  const left = await findLeftovers(database);
  return left['jobs that are open'] === undefined && left['jobs in the queue'] === undefined;
}

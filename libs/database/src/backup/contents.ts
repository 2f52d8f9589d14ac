import type { Database } from '../ports/database.js';

/** A chunk of any tenant, to ask for. */
export interface SampledChunk {
  tenantId: string;
  collection: string;
  text: string;
}

/** Workers write there all the time, and it says nothing of the corpus. */
const RESTLESS = 'worker_heartbeats';

/** Rows of each table, of all tenants, as its owner. Partitions count as their table. */
export async function countRows(database: Database): Promise<Map<string, number>> {
  return database.maintain(async (session) => {
    const tables = await session.query<{ name: string }>({
      text: `
        select c.relname as name
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and c.relname <> $1::text
          and not exists ( -- of an extension
            select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
          )
        order by c.relname`,
      values: [RESTLESS],
    });
    const counts = new Map<string, number>();
    for (const { name } of tables) {
      const [row] = await session.query<{ count: string }>({
        text: `select count(*) as count from public."${name.replaceAll('"', '""')}"`,
      });
      counts.set(name, Number(row!.count));
    }
    return counts;
  });
}

/** So many chunks, drawn at random. */
export async function sampleChunks(database: Database, count: number): Promise<SampledChunk[]> {
  return database.maintain(async (session) => {
    const rows = await session.query<{ tenant_id: string; collection: string; body: string }>({
      text: `
        select c.tenant_id, l.name as collection, c.body
        from chunks c join collections l on l.id = c.collection_id
        order by random()
        limit $1::integer`,
      values: [count],
    });
    return rows.map(({ tenant_id, collection, body }) => ({ tenantId: tenant_id, collection, text: body }));
  });
}

import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Client, Submittable } from 'pg';
import { importPeer } from '../store/import-peer.js';
import { DIMENSIONS } from '../store/synthetic-vectors.js';

interface CopyStreams {
  from(sql: string): Submittable & NodeJS.WritableStream;
  to(sql: string): Submittable & NodeJS.ReadableStream;
}

const EMBEDDINGS = 'chunk_embeddings_1';
/** What indexing leaves behind, in the order of the foreign keys. */
const TABLES = [
  'documents',
  'document_versions',
  'document_sources',
  'document_texts',
  'chunks',
  EMBEDDINGS,
] as const;

/** The rows of a store as COPY sends them. */
export interface CopiedRows {
  tables: { name: string; columns: string; bytes: Buffer }[];
  chunks: number;
}

/** The fastest way to the very same rows: COPY in binary into the same tables, with their indexes and foreign keys. */
export class Floor {
  private constructor(
    private readonly owner: Client,
    private readonly streams: CopyStreams,
  ) {}

  /** @returns null when bench/peers is not installed */
  static async open(owner: Client): Promise<Floor | null> {
    const streams = await importPeer<CopyStreams>('pg-copy-streams');
    return streams && new Floor(owner, streams);
  }

  async read(): Promise<CopiedRows> {
    const tables: CopiedRows['tables'] = [];
    for (const name of TABLES) {
      const columns = await this.storedColumns(name);
      const stream = this.owner.query(
        this.streams.to(`copy (select ${columns} from ${name}) to stdout (format binary)`),
      );
      tables.push({ name, columns, bytes: await buffer(stream) });
    }
    const { rows } = await this.owner.query<{ count: number }>(
      'select count(*)::integer as count from chunks',
    );
    return { tables, chunks: rows[0]!.count };
  }

  /** @returns seconds; all tables in one transaction */
  async copy({ tables }: CopiedRows): Promise<number> {
    const start = performance.now();
    await this.owner.query('begin');
    for (const { name, columns, bytes } of tables) {
      const stream = this.owner.query(
        this.streams.from(`copy ${name} (${columns}) from stdin (format binary)`),
      );
      await pipeline(Readable.from([bytes]), stream);
    }
    await this.owner.query('commit');
    return (performance.now() - start) / 1_000;
  }

  /** Seconds that the vector index of the rows that are there takes; it is gone afterwards. */
  async indexSeconds(): Promise<number> {
    const start = performance.now();
    await this.owner.query(
      `create index bench_hnsw on ${EMBEDDINGS} using hnsw ((embedding::halfvec(${DIMENSIONS})) halfvec_cosine_ops)
       with (m = 16, ef_construction = 64)`,
    );
    const seconds = (performance.now() - start) / 1_000;
    await this.owner.query('drop index bench_hnsw');
    return seconds;
  }

  /** An empty store again, with its collection, space and indexes; jobs are gone with their documents. */
  async empty(): Promise<void> {
    // Not `truncate`: Apache AGE, loaded but not installed in this database, refuses it.
    await this.owner.query('delete from documents');
    await this.owner.query('delete from pgboss.job');
    for (const name of [...TABLES, 'index_jobs']) await this.owner.query(`vacuum (analyze) ${name}`);
    await this.owner.query('reindex table chunks');
  }

  private async storedColumns(table: string): Promise<string> {
    const { rows } = await this.owner.query<{ columns: string }>(
      `select string_agg(quote_ident(attname), ', ' order by attnum) as columns
       from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      [table],
    );
    return rows[0]!.columns;
  }
}

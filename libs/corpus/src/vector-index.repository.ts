import type { Database, SqlExecutor } from '#libs/database';
import { type EmbeddingSpace, hnswIndexSql, partitionOf } from './embedding-space.repository.js';

export interface IndexBuildOptions {
  /** maintenance_work_mem: a graph that does not fit into it is built several times slower. */
  memoryMb: number;
  /** max_parallel_maintenance_workers */
  workers: number;
}

/** In vectors. */
export interface IndexBuildProgress {
  done: number;
  total: number;
}

const POLL_MS = 500;

/** Builds the HNSW index of a space that was loaded without one: vectors are stored 15 times faster than into one. */
export class VectorIndexRepository {
  constructor(private readonly database: Database) {}

  /**
   * Readers and writers go on meanwhile (`create index concurrently`). Safe to run again after it was interrupted:
   * PostgreSQL goes on building for a process that has ended, and this waits for it.
   * @returns false when the space is gone
   */
  async build(
    space: EmbeddingSpace,
    options: IndexBuildOptions,
    onProgress: (progress: IndexBuildProgress) => void,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<boolean> {
    const index = `${partitionOf(space)}_hnsw`;
    const [own] = await this.database.query({
      text: 'select 1 from embedding_spaces where id = $1::uuid',
      values: [space.id],
    });
    if (!own) return false; // gone, or another tenant's: the owner, who builds, would not notice
    return this.database.maintain(
      async (session) => {
        await takeLock(session, space, signal);
        const [known] = await session.query<{ valid: boolean }>({
          text: `
          select indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
          where c.relname = $1::text`,
          values: [index],
        });
        if (known && !known.valid) await session.query({ text: `drop index ${index}` });
        if (!known?.valid) await this.create(session, space, options, onProgress);
        await session.query({
          text: 'update embedding_spaces set indexed_at = now() where id = $1::uuid',
          values: [space.id],
        });
        return true;
      },
      { needsSession: true },
    );
  }

  private async create(
    session: SqlExecutor,
    space: EmbeddingSpace,
    { memoryMb, workers }: IndexBuildOptions,
    onProgress: (progress: IndexBuildProgress) => void,
  ): Promise<void> {
    await session.query({ text: `set maintenance_work_mem = '${Math.floor(memoryMb)}MB'` });
    await session.query({ text: `set max_parallel_maintenance_workers = ${Math.floor(workers)}` });
    const built = new AbortController();
    const watching = this.watch(space, onProgress, built.signal);
    try {
      await session.query({
        text: hnswIndexSql(space, { concurrently: this.database.engine === 'postgres' }),
      });
    } finally {
      built.abort();
      await watching;
    }
  }

  private async watch(
    space: EmbeddingSpace,
    onProgress: (progress: IndexBuildProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.database.engine === 'pglite') return; // its only connection builds
    await this.database.maintain(async (session) => {
      const [{ total } = { total: 0 }] = await session.query<{ total: number }>({
        text: `select count(*)::integer as total from ${partitionOf(space)}`,
      });
      onProgress({ done: 0, total });
      while (!signal.aborted) {
        // pgvector counts the blocks it has read; in vectors that is the same share.
        const [row] = await session.query<{ share: number | null }>({
          text: `
            select blocks_done::float8 / nullif(blocks_total, 0) as share from pg_stat_progress_create_index
            where relid = $1::regclass and phase like 'building index%'`,
          values: [partitionOf(space)],
        });
        if (row?.share) onProgress({ done: Math.floor(row.share * total), total });
        await delay(POLL_MS, signal);
      }
    });
  }
}

/** A lock of the session, which ends with its connection: this one is direct. */
async function takeLock(session: SqlExecutor, space: EmbeddingSpace, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const [lock] = await session.query<{ taken: boolean }>({
      text: 'select pg_try_advisory_lock($1::regclass::oid::integer, 1) as taken',
      values: [partitionOf(space)],
    });
    if (lock!.taken) return;
    await delay(POLL_MS, signal);
  }
}

/** Resolves early when the signal aborts. */
async function delay(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

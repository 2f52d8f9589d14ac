import { Pool } from 'pg';
import { PoolDatabase } from '../pool-database.js';
import { Autovacuum } from './autovacuum.js';
import { DataFolderLock } from './data-folder-lock.js';
import { PgliteStream } from './pglite-stream.js';
import { PgliteThread } from './pglite-thread.js';

/** PostgreSQL's timers are signals, and WebAssembly has none. */
const noLimits = { statementTimeoutMs: 0, idleInTransactionTimeoutMs: 0 };

/**
 * PostgreSQL inside this process: PGlite in a worker thread, one connection.
 * A killed process loses nothing that was committed; a power cut may, because PGlite never calls fsync.
 */
export class PgliteDatabase extends PoolDatabase {
  readonly engine = 'pglite';
  private readonly autovacuum = new Autovacuum(this.withoutTenant);

  private constructor(
    private readonly thread: PgliteThread,
    private readonly lock: DataFolderLock | null,
  ) {
    super(
      new Pool({
        max: 1,
        idleTimeoutMillis: 0,
        stream: () => new PgliteStream(thread.execute),
      }),
      noLimits,
    );
  }

  /**
   * @param dataFolder created when missing; null keeps everything in memory.
   * @throws {RagError} data_folder_locked, data_folder_not_writable
   */
  static async open(dataFolder: string | null): Promise<PgliteDatabase> {
    const lock = dataFolder === null ? null : DataFolderLock.take(dataFolder);
    try {
      return new PgliteDatabase(await PgliteThread.open(lock && lock.databaseFolder), lock);
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  override async close(): Promise<void> {
    await this.autovacuum.stop();
    await super.close();
    await this.thread.close();
    this.lock?.release();
  }
}

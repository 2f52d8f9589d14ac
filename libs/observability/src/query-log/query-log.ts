import { Logger } from '@nestjs/common';
import { currentTenant, runAsTenant } from '#libs/database';
import { isRagError } from '#libs/errors';
import { queryLogDropped } from '#libs/metrics';
import type { QueryLogEntry } from './query-log-entry.js';
import type { QueryLogRepository } from './query-log.repository.js';

const FLUSH_MS = 250;
const ROWS_PER_STATEMENT = 500;
/** While the database is away: about 40 MB. What is beyond is dropped, and counted. */
const ROWS_WAITING_MAX = 20_000;
const RETRY_MS = 1_000;
const CLOSE_TRIES_MAX = 3;

/** Writes questions in batches, off the way of answers: it never fails one and never makes one wait. */
export class QueryLog {
  private readonly logger = new Logger(QueryLog.name);
  private readonly waiting = new Map<string, QueryLogEntry[]>();
  private rowsWaiting = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<boolean> | null = null;

  constructor(private readonly repository: Pick<QueryLogRepository, 'insert'>) {}

  record(entry: QueryLogEntry): void {
    if (this.rowsWaiting >= ROWS_WAITING_MAX) {
      queryLogDropped.inc();
      return;
    }
    const tenant = currentTenant();
    const queue = this.waiting.get(tenant);
    if (queue) queue.push(entry);
    else this.waiting.set(tenant, [entry]);
    this.rowsWaiting += 1;
    this.schedule(FLUSH_MS);
  }

  /** Writes what waits. False: the database would not take it now. */
  async flush(): Promise<boolean> {
    // What came while a batch was written is not in it.
    await this.writing;
    this.writing ??= this.writeAll().finally(() => {
      this.writing = null;
    });
    return this.writing;
  }

  /** Writes what waits, and says how much is lost where that fails. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    for (let tries = 1; this.rowsWaiting > 0; tries += 1) {
      if (await this.flush()) continue;
      if (tries === CLOSE_TRIES_MAX) break;
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS / 2);
      });
    }
    clearTimeout(this.timer);
    if (this.rowsWaiting === 0) return;
    this.logger.warn('questions never reached the query log', { count: this.rowsWaiting });
    queryLogDropped.inc(this.rowsWaiting);
  }

  private schedule(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.flushOnTime();
    }, ms).unref();
  }

  private async flushOnTime(): Promise<void> {
    if (!(await this.flush())) this.schedule(RETRY_MS);
  }

  private async writeAll(): Promise<boolean> {
    for (;;) {
      const [tenant, queue] = this.waiting.entries().next().value ?? [];
      if (!tenant || !queue) return true;
      const batch = queue.slice(0, ROWS_PER_STATEMENT);
      if (!(await this.write(tenant, batch))) return false;
      queue.splice(0, batch.length);
      this.rowsWaiting -= batch.length;
      this.waiting.delete(tenant);
      if (queue.length > 0) this.waiting.set(tenant, queue); // at the end: tenants take turns
    }
  }

  private async write(tenant: string, batch: QueryLogEntry[]): Promise<boolean> {
    try {
      await runAsTenant(tenant, () => this.repository.insert(batch));
      return true;
    } catch (error) {
      if (isRagError(error) && error.retryable) return false;
      queryLogDropped.inc(batch.length);
      this.logger.error('questions could not be logged', { count: batch.length, error });
      return true;
    }
  }
}

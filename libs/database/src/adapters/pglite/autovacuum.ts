import type { SqlExecutor } from '../../ports/database.js';

const INTERVAL_MS = 5_000;

interface TableToTend {
  name: string;
  needs_vacuum: boolean;
}

/**
 * Does what PostgreSQL's autovacuum does, with its thresholds: PGlite has no background processes. Without statistics
 * the planner scored each chunk of a collection instead of asking the BM25 index: 490 ms instead of 17 for 3,000 chunks.
 */
export class Autovacuum {
  private readonly timer: NodeJS.Timeout;
  private running: Promise<void> | null = null;

  constructor(private readonly database: SqlExecutor) {
    this.timer = setInterval(() => {
      this.running ??= this.tend()
        .catch(() => undefined) // the next round tries again
        .finally(() => {
          this.running = null;
        });
    }, INTERVAL_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async tend(): Promise<void> {
    const tables = await this.database.query<TableToTend>({
      text: `
        select format('%I.%I', schemaname, s.relname) as name,
          n_dead_tup > 50 + 0.2 * greatest(reltuples, 0) as needs_vacuum
        from pg_stat_user_tables s join pg_class c on c.oid = s.relid
        where n_dead_tup > 50 + 0.2 * greatest(reltuples, 0)
          or n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)`,
    });
    for (const { name, needs_vacuum } of tables) {
      await this.database.query({ text: needs_vacuum ? `vacuum (analyze) ${name}` : `analyze ${name}` });
    }
  }
}

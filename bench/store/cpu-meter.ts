import { readdir, readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { servicePid } from './service-pid.js';

/** Milliseconds of processor time since some start. */
export interface CpuTime {
  node: number;
  /** NaN when the server's processes are not in this machine's /proc. */
  postgres: number;
  /** 0 when the pooler is not the one of scripts/stack. */
  pooler: number;
}

const NS_PER_MS = 1e6;

/**
 * Reads what this process, the backends of one database and the pooler have used. Backends are single-threaded, and
 * the kernel counts them in nanoseconds. Parallel workers end with their query and are not seen: see `parallelWorkers`.
 */
export class CpuMeter {
  /** Of backends that were seen before; a new one starts at 0. */
  private readonly backends = new Map<number, number>();
  private readonly pooler: number | null;
  private used = 0;

  constructor(
    private readonly owner: Client,
    databaseUrl: string,
  ) {
    this.pooler = servicePid('pgbouncer', databaseUrl);
  }

  async read(): Promise<CpuTime> {
    const { rows } = await this.owner.query<{ pid: number }>(
      // The kind of another user's backend is hidden from the owner; the server's own workers have no user.
      `select pid from pg_stat_activity
       where datname = current_database() and usesysid is not null and pid <> pg_backend_pid()`,
    );
    for (const { pid } of rows) {
      const used = await cpuOf(pid);
      if (Number.isNaN(used)) continue; // ended a moment ago, or on another machine
      const before = this.backends.get(pid) ?? 0;
      this.used += Math.max(0, used - before);
      this.backends.set(pid, used);
    }
    const { user, system } = process.cpuUsage();
    return {
      node: (user + system) / 1_000,
      postgres: this.backends.size === 0 ? Number.NaN : this.used,
      pooler: this.pooler === null ? 0 : await cpuOf(this.pooler),
    };
  }

  /** How many the planner has started in this database: their time is missing above. */
  async parallelWorkers(): Promise<number> {
    const { rows } = await this.owner.query<{ launched: string }>(
      'select parallel_workers_launched as launched from pg_stat_database where datname = current_database()',
    );
    return Number(rows[0]!.launched);
  }
}

/** All threads of a process that are alive, or one of them. Milliseconds; NaN when there is no such process here. */
export async function cpuOf(pid: number, only?: number): Promise<number> {
  try {
    const threads = only === undefined ? await readdir(`/proc/${pid}/task`) : [only];
    const times = await Promise.all(
      threads.map(async (thread) => {
        const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
        return Number(text.split(' ', 1)[0]) / NS_PER_MS;
      }),
    );
    return times.reduce((sum, time) => sum + time, 0);
  } catch {
    return Number.NaN;
  }
}

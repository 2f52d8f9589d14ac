import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';

/** Bytes, of the processes that serve one database. */
export interface DatabaseMemory {
  /** Their own, added up; the largest is about one connection's. */
  own: number;
  /** Of the shared memory (buffers, index builds), what the one that has touched most has touched. */
  shared: number;
}

const POLL_MS = 50;
const NONE: DatabaseMemory = { own: 0, shared: 0 };

/** From /proc; NaN when the server's processes are not on this machine. */
export class MemoryMeter {
  constructor(private readonly owner: Client) {}

  async read(): Promise<DatabaseMemory> {
    const { rows } = await this.owner.query<{ pid: number }>(
      'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    const processes = (await Promise.all(rows.map(({ pid }) => memoryOf(pid)))).filter(
      (each) => each !== null,
    );
    if (processes.length === 0) return { own: Number.NaN, shared: Number.NaN };
    return processes.reduce(
      (sum, each) => ({ own: sum.own + each.own, shared: Math.max(sum.shared, each.shared) }),
      NONE,
    );
  }

  /** The most that was in use at any time while the work ran, above what was in use before. */
  async peakOf(work: () => Promise<void>): Promise<DatabaseMemory> {
    const before = await this.read();
    let peak = NONE;
    const state = { running: true };
    const watching = (async () => {
      while (state.running) {
        const now = await this.read();
        peak = { own: Math.max(peak.own, now.own), shared: Math.max(peak.shared, now.shared) };
        await sleep(POLL_MS);
      }
    })();
    try {
      await work();
    } finally {
      state.running = false;
      await watching;
    }
    return { own: Math.max(0, peak.own - before.own), shared: peak.shared };
  }
}

async function memoryOf(pid: number): Promise<DatabaseMemory | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null);
  if (status === null) return null;
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024;
  return { own: bytes('RssAnon'), shared: bytes('RssShmem') };
}

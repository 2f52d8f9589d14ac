import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { WorkerHeartbeatRepository } from './worker-heartbeat.repository.js';

const INTERVAL_MS = 10_000;

/** Says every few seconds that this worker is there. Silence is for others to notice. */
export class WorkerHeartbeat {
  private readonly identity = { id: randomUUID(), host: hostname(), pid: process.pid };
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> = Promise.resolve();

  constructor(private readonly workers: Pick<WorkerHeartbeatRepository, 'beat' | 'leave'>) {}

  start(): void {
    this.beat();
    this.timer = setInterval(() => this.beat(), INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.beating;
    await this.workers.leave(this.identity.id).catch(() => undefined);
  }

  private beat(): void {
    // A database that is away is told about by those who need it.
    this.beating = this.workers.beat(this.identity).catch(() => undefined);
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { ServerProcess } from '../support/server-process.js';
import { waitFor } from '../support/wait-for.js';

/** What a worker's log says of a job. */
export interface JobEvent {
  /** Finished: also when it goes back to the queue. */
  kind: 'started' | 'finished';
  jobId: string;
  attempt: number;
  atMs: number;
  worker: number;
}

/** A worker process, as a deployment runs it, that tests kill. */
export class FaultyWorker {
  private constructor(
    readonly number: number,
    readonly process: ServerProcess,
  ) {}

  static start(number: number, environment: Record<string, string>): FaultyWorker {
    const variables = { LOG_LEVEL: 'debug', ...environment };
    return new FaultyWorker(number, ServerProcess.run(['dist/apps/worker/src/main.js'], variables));
  }

  get pid(): number {
    return this.process.child.pid!;
  }

  get isUp(): boolean {
    return this.process.output.includes('worker is up') && !this.hasEnded;
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signal !== null;
  }

  async ready(): Promise<this> {
    await waitFor('the worker to be up', () => {
      if (this.hasEnded) throw new Error(`a worker ended early:\n${this.process.output}`);
      return this.isUp;
    });
    return this;
  }

  /** Its parsers among them. */
  get children(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => parentOf(name) === this.pid)
      .map(Number);
  }

  get events(): JobEvent[] {
    return this.process.output.split('\n').flatMap((line) => {
      if (!line.startsWith('{') || !/"job (started|finished|is tried again later)"/.test(line)) return [];
      const { msg, jobId, attempt = 0, time, name } = JSON.parse(line) as Record<string, unknown>;
      if (name !== 'index-document') return [];
      return [
        {
          kind: msg === 'job started' ? 'started' : 'finished',
          jobId: jobId as string,
          attempt: attempt as number,
          atMs: new Date(time as string | number).getTime(),
          worker: this.number,
        },
      ];
    });
  }

  /** Jobs that it has started and not ended. */
  get heldJobs(): string[] {
    const held = new Set<string>();
    for (const { kind, jobId } of this.events) {
      if (kind === 'started') held.add(jobId);
      else held.delete(jobId);
    }
    return [...held];
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.process.child.kill(signal);
  }
}

function parentOf(pid: string): number | null {
  try {
    // After the name, which is in parentheses: the state, then the parent.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]);
  } catch {
    return null; // it has ended
  }
}

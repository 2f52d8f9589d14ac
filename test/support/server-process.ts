import { type ChildProcess, spawn } from 'node:child_process';
import { projectFolder } from '#libs/project-files';
import { RagstoneClient } from './ragstone-client.js';
import { waitFor } from './wait-for.js';

/** The compiled service as a process of its own, as `npm start` runs it. */
export class ServerProcess {
  output = '';
  exitCode: number | null = null;
  signal: NodeJS.Signals | null = null;

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (part: Buffer) => {
        this.output += part.toString();
      });
    }
    child.on('exit', (code, signal) => {
      this.exitCode = code;
      this.signal = signal;
    });
  }

  static spawn(environment: Record<string, string>): ServerProcess {
    return ServerProcess.run(['dist/apps/api/src/main.js'], environment);
  }

  /** A script of the project with the given arguments. */
  static run(args: string[], environment: Record<string, string>): ServerProcess {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, args, {
      cwd: projectFolder,
      env: {
        PATH,
        HOME,
        PORT: '0',
        LOG_LEVEL: 'info',
        LOG_FORMAT: 'json',
        EMBEDDING_THREADS: '1',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ServerProcess(child);
  }

  /** The client, once the service listens. @throws with its output when it ends before */
  async ready(): Promise<RagstoneClient> {
    const url = await waitFor('the service to listen', () => {
      if (this.hasEnded) throw new Error(`the service ended early:\n${this.output}`);
      return /is up on (https?:\S+)/.exec(this.output)?.[1];
    });
    return new RagstoneClient(url);
  }

  /** @returns how long it took to end, in milliseconds */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const start = performance.now();
    this.child.kill(signal);
    await this.ended();
    return performance.now() - start;
  }

  async ended(): Promise<void> {
    await waitFor('the process to end', () => this.hasEnded);
  }

  private get hasEnded(): boolean {
    return this.exitCode !== null || this.signal !== null;
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectFolder } from '#libs/project-files';
import type { Asked, Usage } from './servers/answer-parent.js';

/** One of the servers in a process of its own. */
export class ForkedServer {
  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    readonly url: string,
    /** An API key; null: it asks for none. */
    readonly key: string | null,
  ) {}

  /** @param script in the folder servers */
  static async start(
    name: string,
    script: string,
    environment: Record<string, string> = {},
  ): Promise<ForkedServer> {
    const child = fork(join(projectFolder, 'dist/bench/http/servers', script), {
      env: { ...process.env, NODE_ENV: 'production', ...environment },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter((option) => option !== ''),
    });
    const started = once(child, 'message') as Promise<[{ url: string; key?: string }]>;
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${name} ended before it was up`);
    });
    const [{ url, key = null }] = await Promise.race([started, ended]);
    ended.catch(() => undefined);
    return new ForkedServer(name, child, url, key);
  }

  get headers(): Record<string, string> {
    return {
      'content-type': 'application/json',
      ...(this.key !== null && { authorization: `Bearer ${this.key}` }),
    };
  }

  get pid(): number {
    return this.child.pid!;
  }

  async usage(): Promise<Usage> {
    this.send('usage');
    const [usage] = (await once(this.child, 'message')) as [Usage];
    return usage;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.send('end');
    await exited;
  }

  private send(asked: Asked): void {
    this.child.send(asked);
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Request } from './messages.js';

type Environment = Record<string, string>;

/** A process of the bench's that answers requests. */
export class Child {
  private readonly waiting = new Map<number, { resolve(reply: unknown): void; reject(error: Error): void }>();
  private lastId = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ id, reply, error }: { id: number; reply?: unknown; error?: string }) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) waiting?.resolve(reply);
      else waiting?.reject(new Error(error));
    });
    child.once('exit', (code) => {
      for (const { reject } of this.waiting.values())
        reject(new Error(`the process ended with code ${code}`));
    });
  }

  static async start(role: 'accept' | 'work', environment: Environment): Promise<Child> {
    const process = forked('indexing-process.js', [role], environment);
    const child = new Child(process);
    await new Promise<void>((resolve, reject) => {
      child.waiting.set(0, { resolve: () => resolve(), reject });
    });
    return child;
  }

  get pid(): number {
    return this.child.pid!;
  }

  ask<Reply>(request: Request): Promise<Reply> {
    this.lastId += 1;
    const id = this.lastId;
    return new Promise<Reply>((resolve, reject) => {
      this.waiting.set(id, { resolve: (reply) => resolve(reply as Reply), reject });
      this.child.send({ id, request });
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

export interface EmbeddingServer {
  pid: number;
  url: string;
  stop(): void;
}

export async function startEmbeddingServer(): Promise<EmbeddingServer> {
  const child = forked('embedding-server.js', [], {});
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return { pid: child.pid!, url, stop: () => void child.kill() };
}

/** Processes that a process has started, alive now. Empty where there is no /proc. */
export async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.trim().split(' ').filter(Boolean).map(Number));
}

function forked(program: string, args: string[], environment: Environment): ChildProcess {
  return fork(fileURLToPath(new URL(program, import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--enable-source-maps', ...(process.env['BENCH_EXEC_ARGV']?.split(' ') ?? [])],
    env: { ...process.env, ...environment },
  });
}

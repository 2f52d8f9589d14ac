import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** A server in a process of its own, whose processor time is read from the kernel. */
export class Child {
  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(
    name: string,
    args: string[],
    { port, path = '/v1', env = {} }: { port: number; path?: string; env?: Record<string, string> },
  ): Promise<Child> {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const started = new Child(name, `http://127.0.0.1:${port}${path}`, child);
    for (let tries = 0; ; tries += 1) {
      if (child.exitCode !== null || tries > 300) throw new Error(`${name} did not start`);
      const isUp = await fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      );
      if (isUp) return started;
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
    }
  }

  /** Of all its threads, in milliseconds. */
  async cpuMs(): Promise<number> {
    const text = await readFile(`/proc/${this.process.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10; // clock ticks of 10 ms
  }

  stop(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.process.kill(signal);
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { offerToKernel } from './process-usage.js';

/** Nothing else of the environment reaches a parser: no keys, no addresses, no options of Node. */
const environmentKept = ['TZ', 'LANG', 'LC_ALL', 'SystemRoot'];

export function forkParser(entry: URL, heapMbMax: number): ChildProcess {
  const kept = environmentKept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = fork(fileURLToPath(entry), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [`--max-old-space-size=${heapMbMax}`, '--enable-source-maps'],
    env: { ...Object.fromEntries(kept), MALLOC_ARENA_MAX: '2' }, // glibc keeps freed memory for each arena
  });
  if (child.pid !== undefined) offerToKernel(child.pid);
  return child;
}

/** Whether this process stays alive because of the child. */
export function holdProcess(child: ChildProcess, isHeld: boolean): void {
  for (const handle of [child, child.channel, child.stderr as Socket | null]) {
    if (isHeld) handle?.ref();
    else handle?.unref();
  }
}

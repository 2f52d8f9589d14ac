import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from './child.js';

const POLL_MS = 100;

/** The most that was resident at any time, bytes. NaN where there is no /proc. */
export interface ProcessMemory {
  worker: number;
  /** The largest parser. */
  parser: number;
  /** The worker and all its parsers. */
  all: number;
}

export function watchMemory(pid: number): { stop(): Promise<ProcessMemory> } {
  const peak: ProcessMemory = { worker: 0, parser: 0, all: 0 };
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted) {
      const worker = await residentBytes(pid);
      const parsers = await Promise.all((await childrenOf(pid)).map(residentBytes));
      peak.worker = Math.max(peak.worker, worker);
      peak.parser = Math.max(peak.parser, ...parsers);
      peak.all = Math.max(
        peak.all,
        parsers.reduce((sum, bytes) => sum + bytes, worker),
      );
      await sleep(POLL_MS);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      return peak;
    },
  };
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
}

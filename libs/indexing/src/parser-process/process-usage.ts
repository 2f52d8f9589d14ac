import { readFileSync, writeFileSync } from 'node:fs';

/** USER_HZ: the same on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessUsage {
  rssMb: number;
  /** Since its start, all threads. */
  cpuMs: number;
}

/** Of another process, by Linux's /proc; null where there is none, or no such process. */
export function usageOf(pid: number): ProcessUsage | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold spaces; user and system time are the 12th and 13th field behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { rssMb: Number(kilobytes ?? 0) / 1024, cpuMs: (ticks * 1_000) / TICKS_PER_SECOND };
  } catch {
    return null;
  }
}

/** When the machine runs out of memory, the kernel ends this process before the one that started it. */
export function offerToKernel(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // not on Linux, or not allowed: then the kernel chooses by size
  }
}

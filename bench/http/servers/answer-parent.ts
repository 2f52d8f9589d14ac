import { readdirSync } from 'node:fs';

/** What the process that started this one wants to know of it. */
export type Asked = 'usage' | 'end';

export interface Usage {
  /** Of all threads, since the start. */
  cpuUs: number;
  rssBytes: number;
  /** Open ones: sockets, mostly. */
  files: number;
}

/** Tells the parent that this server is up, then what it uses, until it is to end. */
export function answerParent(started: object, end: () => Promise<void>): void {
  process.on('message', (asked: Asked) => {
    if (asked === 'end') {
      void end().finally(() => process.exit());
      return;
    }
    const { user, system } = process.cpuUsage();
    process.send!({
      cpuUs: user + system,
      rssBytes: process.memoryUsage.rss(),
      files: readdirSync('/proc/self/fd').length,
    } satisfies Usage);
  });
  process.send!(started);
}

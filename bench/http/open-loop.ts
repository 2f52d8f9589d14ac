import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Asked } from './closed-loop.js';
import type { ForkedServer } from './forked-server.js';

export interface OpenLoopResult {
  offered: number;
  /** In which they were sent. */
  seconds: number;
  /** Milliseconds, of 200s. */
  accepted: number[];
  /** Milliseconds, of 429s and 503s. */
  refused: number[];
  /** Any other status, or no answer. */
  failed: number;
}

const TICK_MS = 2;

/** Requests arrive at a rate, whether the earlier ones were answered or not. */
export async function openLoop(
  server: ForkedServer,
  { path, body }: Asked,
  { perSecond, seconds, connections }: { perSecond: number; seconds: number; connections: number },
): Promise<OpenLoopResult> {
  const pool = new Pool(server.url, { connections });
  const result: OpenLoopResult = { offered: 0, seconds: 0, accepted: [], refused: [], failed: 0 };
  const send = async (text: string): Promise<void> => {
    const start = performance.now();
    try {
      const reply = await pool.request({ method: 'POST', path, headers: server.headers, body: text });
      await reply.body.dump();
      const ms = performance.now() - start;
      if (reply.statusCode === 200) result.accepted.push(ms);
      else if (reply.statusCode === 429 || reply.statusCode === 503) result.refused.push(ms);
      else result.failed += 1;
    } catch {
      result.failed += 1;
    }
  };
  const running: Promise<void>[] = [];
  const requests = Math.round(perSecond * seconds);
  const start = performance.now();
  while (running.length < requests) {
    const due = Math.min(requests, ((performance.now() - start) / 1_000) * perSecond);
    while (running.length < due) running.push(send(JSON.stringify(body(running.length))));
    await sleep(TICK_MS);
  }
  result.offered = requests;
  result.seconds = (performance.now() - start) / 1_000;
  await Promise.all(running);
  await pool.close();
  return result;
}

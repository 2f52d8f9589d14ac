import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { load, quantile, questionBody } from './load.js';

export interface OverloadResult {
  peakPerSecond: number;
  peakP99Ms: number;
  offeredPerSecond: number;
  offered: number;
  acceptedPerSecond: number;
  acceptedP99Ms: number;
  refused: number;
  refusedP99Ms: number;
  otherFailures: number;
}

const TICK_MS = 5;
/** Of all clients together: more than the server takes at a time by far, fewer than the system has ports. */
const CONNECTIONS = 2_000;

/** Requests arrive at three times the rate that the model can take, whether the earlier ones were answered or not. */
export async function measureOverload(
  url: string,
  concurrency: number,
  requests: number,
): Promise<OverloadResult> {
  const peak = await load(url, { concurrency, requests: Math.ceil(requests / 5) });
  const offeredPerSecond = peak.requestsPerSecond * 3;
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS });
  const accepted: number[] = [];
  const refused: number[] = [];
  let otherFailures = 0;
  const send = async (number: number): Promise<void> => {
    const start = performance.now();
    try {
      const { statusCode, body } = await pool.request({
        path: `${pathname}/chat/completions`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: questionBody(false, number),
      });
      await body.dump();
      const ms = performance.now() - start;
      if (statusCode === 200) accepted.push(ms);
      else if (statusCode === 503 || statusCode === 429) refused.push(ms);
      else otherFailures += 1;
    } catch {
      otherFailures += 1;
    }
  };
  const start = performance.now();
  const running: Promise<void>[] = [];
  while (running.length < requests) {
    const due = Math.min(requests, ((performance.now() - start) / 1_000) * offeredPerSecond);
    while (running.length < due) running.push(send(running.length));
    await sleep(TICK_MS);
  }
  const seconds = (performance.now() - start) / 1_000;
  await Promise.all(running);
  await pool.close();
  return {
    peakPerSecond: peak.requestsPerSecond,
    peakP99Ms: peak.p99Ms,
    offeredPerSecond: requests / seconds,
    offered: requests,
    acceptedPerSecond: accepted.length / seconds,
    acceptedP99Ms: quantile(accepted, 0.99),
    refused: refused.length,
    refusedP99Ms: quantile(refused, 0.99),
    otherFailures,
  };
}

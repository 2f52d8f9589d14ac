import { Pool } from 'undici';
import type { ForkedServer } from './forked-server.js';

export interface LoopResult {
  latencies: number[];
  seconds: number;
  statuses: Record<number, number>;
}

export interface Asked {
  path: string;
  body: (number: number) => object;
}

/** So many clients over connections that stay; each asks again as soon as it is answered. */
export async function closedLoop(
  server: ForkedServer,
  { path, body }: Asked,
  { clients, requests }: { clients: number; requests: number },
): Promise<LoopResult> {
  const pool = new Pool(server.url, { connections: clients });
  const latencies: number[] = [];
  const statuses: Record<number, number> = {};
  let begun = 0;
  const client = async (): Promise<void> => {
    while (begun < requests) {
      begun += 1;
      const text = JSON.stringify(body(begun));
      const start = performance.now();
      const reply = await pool.request({ method: 'POST', path, headers: server.headers, body: text });
      await reply.body.text();
      latencies.push(performance.now() - start);
      statuses[reply.statusCode] = (statuses[reply.statusCode] ?? 0) + 1;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - start) / 1_000;
  await pool.close();
  return { latencies, seconds, statuses };
}

/** @throws {Error} when anything but 200 came */
export function assertAnswered(name: string, { statuses }: LoopResult): void {
  if (Object.keys(statuses).join() !== '200')
    throw new Error(`${name} answered ${JSON.stringify(statuses)}, not 200 alone`);
}

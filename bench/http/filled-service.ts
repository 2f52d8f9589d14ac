import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { projectFolder } from '#libs/project-files';
import { ForkedServer } from './forked-server.js';

const DOCUMENTS = 200;
/** Long enough for a stream of some length to quote. */
const sentence = (n: number) =>
  `The pump P-${n} needs an oil change every ${100 + n} hours, and whoever changes it closes both valves first, waits until the housing is cold, takes the old oil out by the drain plug at its lowest point, and keeps it for the collection in hall ${n % 9}.`;

/** The service with documents about pumps, indexed by a worker that has ended since. */
export async function startFilled(environment: Record<string, string>): Promise<ForkedServer> {
  const server = await ForkedServer.start('Ragstone', 'ragstone.js', environment);
  const worker = fork(join(projectFolder, 'dist/apps/worker/src/main.js'), {
    env: { ...process.env, ...environment, LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({
      text: `${sentence(n)} Its oil is ISO VG ${n % 7}.`,
      title: `Pump ${n}`,
      external_id: `pump-${n}`,
    }));
    const reply = await request(`${server.url}/index/batch`, {
      method: 'POST',
      headers: server.headers,
      body: JSON.stringify({ documents }),
    });
    await reply.body.dump();
    for (let ready = 0; ready < DOCUMENTS; await sleep(200)) {
      const { body } = await request(`${server.url}/jobs?status=ready&kind=index_document&limit=200`, {
        headers: server.headers,
      });
      ready = ((await body.json()) as { jobs: unknown[] }).jobs.length;
    }
  } finally {
    const exited = once(worker, 'exit');
    worker.kill('SIGTERM');
    await exited;
  }
  return server;
}

/** Of twenty questions, so that their vectors are remembered: what is measured is not the embedding model. */
export function questionOf(number: number): string {
  return `How often does the pump P-${number % 20} need an oil change?`;
}

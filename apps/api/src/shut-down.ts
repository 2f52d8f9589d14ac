import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthService } from '#libs/health';

const DEADLINE_MS = 9_500;
const IDLE_SWEEP_MS = 100;

/**
 * On SIGTERM or SIGINT: /ready says so for `drainMs`, so that nobody sends more requests here; then no new connections, running requests end, the worker stops between steps, the database closes.
 */
export function shutDownOnSignals(
  app: NestFastifyApplication,
  { drainMs, endTracing }: { drainMs: number; endTracing: () => Promise<void> },
): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    console.error(`Ragstone received ${signal} and is stopping ...`);
    const deadline = setTimeout(() => {
      console.error(
        'Ragstone did not stop in time and ends now; unfinished jobs go on after the next start.',
      );
      process.exit(1);
    }, drainMs + DEADLINE_MS);
    deadline.unref();
    stopInOrder(app, drainMs, endTracing).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('Ragstone failed while stopping:', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

async function stopInOrder(
  app: NestFastifyApplication,
  drainMs: number,
  endTracing: () => Promise<void>,
): Promise<void> {
  app.get(HealthService).shutDown();
  await sleep(drainMs); // everything is still answered: a load balancer takes this process out meanwhile
  await closeGently(app);
  await endTracing();
}

/** Closes the app; keep-alive connections are closed as soon as they are idle instead of holding it up for seconds. */
export async function closeGently(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  server.close(); // first of all: the worker may need seconds to stop
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
  }
}

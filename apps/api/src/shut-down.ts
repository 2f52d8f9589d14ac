import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const DEADLINE_MS = 9_500;
const IDLE_SWEEP_MS = 100;

/** On SIGTERM or SIGINT: no new connections, running requests end, the worker stops between steps, the database closes. */
export function shutDownOnSignals(app: NestFastifyApplication): void {
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
    }, DEADLINE_MS);
    deadline.unref();
    closeGently(app).then(
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

/** Busy for ever, with the guard (its file is the argument) that the parser process has. */
import { Worker } from 'node:worker_threads';

const guard = new Worker(process.argv[2], { argv: [String(process.ppid)] });
guard.once('online', () => {
  process.send('ready', () => {
    for (;;);
  });
});

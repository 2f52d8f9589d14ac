/**
 * Runs in a thread of its own in a parser process. A process that is busy with a document for ever doesn't notice that
 * its parent is gone; this thread does, as the process then belongs to another one.
 */
const parent = Number(process.argv[2]);
const INTERVAL_MS = 1_000;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);

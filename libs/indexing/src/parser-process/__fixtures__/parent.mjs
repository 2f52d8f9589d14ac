/** Starts the program given as arguments, prints its process id when it is ready, and waits to be killed. */
import { fork } from 'node:child_process';

const [entry, ...options] = process.argv.slice(2);
const child = fork(entry, options, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
child.once('message', () => process.stdout.write(`${child.pid}\n`));
setInterval(() => undefined, 60_000);

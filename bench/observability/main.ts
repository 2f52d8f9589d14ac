import { measureOverhead } from './overhead.js';
import { fillQueryLog, measureQueryLog, readQueryLog } from './query-log.js';

const ROWS = 10_000_000;
const ROUNDS = 7;
const QUESTIONS = 600;

const [what = 'all', size] = process.argv.slice(2);
// In two steps, so that the second can have the machine for itself.
if (what === 'query-log-fill') console.log(await fillQueryLog(Number(size ?? ROWS)));
if (what === 'query-log-read') await readQueryLog(size!);
if (what === 'all' || what === 'query-log') await measureQueryLog(Number(size ?? ROWS));
if (what === 'all' || what === 'overhead') await measureOverhead(ROUNDS, Number(size ?? QUESTIONS));

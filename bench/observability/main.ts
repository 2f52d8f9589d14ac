import { measureOverhead } from './overhead.js';
import { measureQueryLog } from './query-log.js';

const ROWS = 10_000_000;
const ROUNDS = 7;
const QUESTIONS = 600;

const [what = 'all', size] = process.argv.slice(2);
if (what === 'all' || what === 'query-log') await measureQueryLog(Number(size ?? ROWS));
if (what === 'all' || what === 'overhead') await measureOverhead(ROUNDS, Number(size ?? QUESTIONS));

import { move } from 'piscina';
import { embedLocally } from './embed-locally.js';

/** Runs in a worker thread: the vectors of all texts, one after the other, in one transferred buffer. */
export default async function embed(texts: string[]): Promise<unknown> {
  return move((await embedLocally(texts)).buffer as ArrayBuffer);
}

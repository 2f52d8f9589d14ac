import type { MessagePort } from 'node:worker_threads';
import { isRagError } from '#libs/errors';
import type { ParseOutcome, ParseTask } from './parse-pool.js';
import { prepareDocument } from './prepare-document.js';

/** Runs in a worker thread. */
export default async function parse({
  progress,
  ...task
}: ParseTask & { progress: MessagePort }): Promise<ParseOutcome> {
  try {
    const prepared = await prepareDocument(task, (done, total) => progress.postMessage([done, total]));
    return { prepared };
  } catch (error) {
    if (!isRagError(error)) throw error;
    return { failure: { code: error.code, message: error.message, retryable: error.retryable } };
  } finally {
    progress.close();
  }
}

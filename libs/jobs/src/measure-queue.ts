import { collectAtScrape, jobOldestSeconds, jobsWaiting } from '#libs/metrics';
import type { JobQueue } from './job-queue.js';

/** A long queue takes milliseconds to count, and every process shows it. */
const MEASURED_MS = 5_000;

/** Shows the queues at each scrape. @returns ends it */
export function measureQueue(queue: JobQueue): () => void {
  let measuredAt = -Infinity;
  return collectAtScrape(async () => {
    if (performance.now() - measuredAt < MEASURED_MS) return;
    const depths = await queue.readDepths();
    measuredAt = performance.now();
    for (const { queue: name, waiting, delayed, running, oldestSeconds } of depths) {
      jobsWaiting.set({ queue: name, state: 'waiting' }, waiting);
      jobsWaiting.set({ queue: name, state: 'delayed' }, delayed);
      jobsWaiting.set({ queue: name, state: 'running' }, running);
      jobOldestSeconds.set({ queue: name }, oldestSeconds);
    }
  });
}

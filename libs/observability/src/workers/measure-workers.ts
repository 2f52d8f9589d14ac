import { DEFAULT_TENANT, runAsTenant } from '#libs/database';
import { collectAtScrape, workersSeen } from '#libs/metrics';
import type { WorkerHeartbeatRepository } from './worker-heartbeat.repository.js';

/** A worker gives a sign of life every 10 s; silent for so long it is taken for dead. */
export const WORKER_SEEN_SECONDS = 60;

/** Shows at each scrape how many workers there are. @returns ends it */
export function measureWorkers(workers: Pick<WorkerHeartbeatRepository, 'countSeen'>): () => void {
  return collectAtScrape(async () => {
    workersSeen.set(await runAsTenant(DEFAULT_TENANT, () => workers.countSeen(WORKER_SEEN_SECONDS)));
  });
}

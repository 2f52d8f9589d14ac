import type { JobQueue } from '#libs/jobs';
import { WORKER_SEEN_SECONDS, type WorkerHeartbeatRepository } from '#libs/observability';
import { degraded, type HealthCheck, ok } from '../health-check.js';

export function queueCheck(queue: Pick<JobQueue, 'readDepths'>): HealthCheck {
  return {
    name: 'queue',
    run: async () => {
      const depths = await queue.readDepths();
      const sum = (of: 'waiting' | 'running') => depths.reduce((total, depth) => total + depth[of], 0);
      const oldest = Math.round(Math.max(0, ...depths.map(({ oldestSeconds }) => oldestSeconds)));
      return ok(`${sum('waiting')} jobs wait, the oldest for ${oldest} s; ${sum('running')} run`);
    },
  };
}

export function workerCheck(workers: Pick<WorkerHeartbeatRepository, 'countSeen'>): HealthCheck {
  return {
    name: 'worker',
    run: async () => {
      const count = await workers.countSeen(WORKER_SEEN_SECONDS);
      if (count > 0) return ok(`${count} seen within ${WORKER_SEEN_SECONDS} s`);
      return degraded(
        `none was seen for ${WORKER_SEEN_SECONDS} s: documents are accepted and wait. Start one: node dist/apps/worker/src/main.js`,
      );
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '#libs/database';
import { serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { BusyClients } from './busy-clients.js';
import { makeDocument } from './faulty-documents.js';
import { FaultyService } from './faulty-service.js';
import { History } from './history.js';
import { rounds, seededRandom } from './random.js';
import { findLeftovers, fingerprints, isIdle } from './stored-corpus.js';
import type { FaultyWorker } from './worker-fleet.js';

const KILLS = 52 * rounds;
const WORKERS = 4;
const STAGE_WAIT_MS = 4_000;
/** A job that was interrupted 20 times is given up: on a slow machine, kills alone would do that. */
const INTERRUPTIONS_MAX = 8;

describe('workers that are killed at any moment', () => {
  let service: FaultyService | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (!serverMissing) service = await FaultyService.start();
  });

  afterAll(() => service?.close());

  it(
    `index every accepted document exactly once, with the chunks of an undisturbed run, over ${KILLS} kills`,
    async () => {
      const random = seededRandom('kill-worker');
      const { database, models } = service!;
      await service!.createCollections('faulty', 'golden');
      const documents = Array.from({ length: 40 }, (_, number) =>
        makeDocument(number, 'k', random, number % 8 === 0),
      );
      models.beforeEmbedding = () => sleep(random.integer(300));
      const workers = new Set<FaultyWorker>();
      while (workers.size < WORKERS) workers.add(service!.startWorker());
      const history = new History();
      const clients = new BusyClients(service!, history, random, documents, 'faulty');
      clients.start(3, 2);

      /** A worker with a job in that stage, if one comes within a moment. */
      const findVictim = async (stage: string) => {
        const deadline = Date.now() + STAGE_WAIT_MS;
        return waitFor('a worker with a job', async () => {
          const running = await runningJobs(database);
          const any = stage === 'any' || Date.now() > deadline;
          const spared = new Set(
            running.filter(({ attempts }) => attempts > INTERRUPTIONS_MAX).map(({ id }) => id),
          );
          const victims = [...workers].flatMap((worker) => {
            const held = worker.isUp ? worker.heldJobs : [];
            if (held.some((jobId) => spared.has(jobId))) return [];
            return running.flatMap((job) =>
              held.includes(job.id) && (any || job.stage === stage)
                ? [{ worker, stage: job.stage ?? 'start' }]
                : [],
            );
          });
          return any ? victims[0] : random.pick(victims); // the oldest: the others get on
        });
      };

      const killed: { worker: FaultyWorker; atMs: number }[] = [];
      const stages: Record<string, number> = {};
      while (killed.length < KILLS) {
        const { worker, stage } = await findVictim(random.pick(['any', 'parse', 'embed', 'embed', 'store']));
        await sleep(random.integer(100));
        stages[stage] = (stages[stage] ?? 0) + 1;
        worker.kill();
        workers.delete(worker);
        killed.push({ worker, atMs: Date.now() });
        workers.add(service!.startWorker());
      }
      await clients.stop();
      console.log('stages of the killed jobs', stages);
      await waitFor('all jobs to end', () => isIdle(database), 120_000);
      await clients.noteFinalState();
      expect(await endedOtherwise(database)).toEqual([]);
      expect(history.violations()).toEqual([]);

      const left = documents.filter((document) => clients.revisions.get(document) != null);
      for (const document of left) {
        await service!.submit('golden', document, clients.revisions.get(document)!);
      }
      await waitFor('the undisturbed run', () => isIdle(database));

      expect(await fingerprints(database, 'faulty')).toEqual(await fingerprints(database, 'golden'));
      expect(Object.keys(await fingerprints(database, 'golden'))).toHaveLength(left.length);
      expect(await findLeftovers(database)).toEqual({});

      const takeovers = takeoversOf(service!, killed);
      console.log(
        `${KILLS} kills, ${takeovers.length} jobs taken over after ${takeovers.sort((a, b) => a - b).at(takeovers.length >> 1)} ms in the median, ${takeovers.at(-1)} ms at most, ${history.count('submit')} submits, ${history.count('delete')} deletes, ${history.count('search')} searches`,
      );
      expect(takeovers.length).toBeGreaterThan(KILLS / 4);
    },
    600_000 * rounds,
  );
});

async function runningJobs(
  database: Database,
): Promise<{ id: string; stage: string | null; attempts: number }[]> {
  return database.query({ text: `select id, stage, attempts from index_jobs where status = 'running'` });
}

/** Jobs that are neither ready nor overtaken by a newer version. */
async function endedOtherwise(database: Database): Promise<object[]> {
  return database.query({
    text: `select status, attempts, error from index_jobs where status not in ('ready', 'superseded')`,
  });
}

/**
 * How long a dead worker's jobs waited for another one: most of all for one that lives and is idle. Its bound is in
 * stage-borders, where there is one. From a worker's death to the start of each of its jobs by another worker; jobs that had ended need none. */
function takeoversOf(
  service: FaultyService,
  killed: readonly { worker: FaultyWorker; atMs: number }[],
): number[] {
  const starts = service.startsByJob();
  return killed.flatMap(({ worker, atMs }) =>
    worker.heldJobs.flatMap((jobId) => {
      const next = starts.get(jobId)!.find((start) => start.atMs > atMs);
      return next ? [next.atMs - atMs] : [];
    }),
  );
}

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
const TAKEOVER_MS_MAX = 20_000;

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
          const victims = [...workers].flatMap((worker) =>
            worker.isUp
              ? worker.heldJobs.flatMap((jobId) => {
                  const job = running.find(({ id }) => id === jobId);
                  return job && (any || job.stage === stage) ? [{ worker, stage: job.stage ?? 'start' }] : [];
                })
              : [],
          );
          return random.pick(victims);
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

      const left = documents.filter((document) => clients.revisions.get(document) != null);
      for (const document of left) {
        await service!.submit('golden', document, clients.revisions.get(document)!);
      }
      await waitFor('the undisturbed run', () => isIdle(database));

      expect(await fingerprints(database, 'faulty')).toEqual(await fingerprints(database, 'golden'));
      expect(Object.keys(await fingerprints(database, 'golden'))).toHaveLength(left.length);
      expect(await findLeftovers(database)).toEqual({});
      expect(history.violations()).toEqual([]);
      expect(await endsOf(database, clients.accepted)).toEqual(['ready', 'superseded']);

      const takeovers = takeoversOf(service!, killed);
      console.log(
        `${KILLS} kills, ${takeovers.length} jobs taken over after at most ${Math.max(...takeovers)} ms, ${history.count('submit')} submits, ${history.count('delete')} deletes, ${history.count('search')} searches`,
      );
      expect(takeovers.length).toBeGreaterThan(KILLS / 4);
      expect(Math.max(...takeovers)).toBeLessThan(TAKEOVER_MS_MAX);
    },
    600_000 * rounds,
  );
});

async function runningJobs(database: Database): Promise<{ id: string; stage: string | null }[]> {
  return database.query({ text: `select id, stage from index_jobs where status = 'running'` });
}

/** Each way in which jobs have ended. */
async function endsOf(database: Database, jobIds: ReadonlySet<string>): Promise<string[]> {
  const rows = await database.query<{ status: string }>({
    text: 'select distinct status from index_jobs where id = any($1::uuid[]) order by status',
    values: [[...jobIds]],
  });
  return rows.map(({ status }) => status);
}

/** From a worker's death to the start of each of its jobs by another worker; jobs that had ended need none. */
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

import { describe, expect, it } from 'vitest';
import type { TenantRepository } from '#libs/corpus';
import { type Database, DEFAULT_TENANT } from '#libs/database';
import type { JobQueue, JobState } from '#libs/jobs';
import { OpenJobs } from './open-jobs.js';
import type { Repositories } from './repositories.js';

const dropAbandoned = () => Promise.resolve();
const dropExpired = () => Promise.resolve();

/** Open jobs by id, with what the queue says of each; records what is done about them. */
function setUp(states: Record<string, JobState>, keptDays = 0) {
  const done: string[] = [];
  const jobs = {
    listOpen: ({ after, limit }: { after: string | null; limit: number }) =>
      Promise.resolve(
        Object.keys(states)
          .filter((id) => after === null || id > after)
          .slice(0, limit)
          .map((id) => ({ id, kind: 'index_document', stage: null, attempts: 6, fence: '6' })),
      ),
    dropEnded: (days: number, limit: number) => {
      done.push(`dropped after ${days} days`);
      return Promise.resolve(done.length < 3 ? limit : 0);
    },
    giveUp: (id: string, fence: string, { message }: { message: string }) => {
      done.push(`failed ${id} after ${fence}: ${message}`);
      return Promise.resolve();
    },
  };
  const queue = {
    statesOf: (_name: string, ids: readonly string[]) =>
      Promise.resolve(new Map(ids.map((id) => [id, states[id]!]))),
    enqueueAgain: (_name: string, { jobId }: { jobId: string }) => {
      done.push(`enqueued ${jobId}`);
      return Promise.resolve();
    },
  };
  const database = { transaction: (work: (tx: unknown) => Promise<unknown>) => work({}) };
  const openJobs = new OpenJobs(
    database as unknown as Database,
    { list: () => Promise.resolve([{ id: DEFAULT_TENANT, name: 'default' }]) } as unknown as TenantRepository,
    { jobs, staging: { dropAbandoned }, idempotency: { dropExpired } } as unknown as Repositories,
    queue as unknown as JobQueue,
    keptDays,
  );
  return { openJobs, done };
}

describe('OpenJobs', () => {
  it('leaves a job alone that the queue will run', async () => {
    const { openJobs, done } = setUp({ a: 'open' });
    await openJobs.check();
    expect(done).toEqual([]);
  });

  it('fails a job that the queue has given up, with a reason, and brings back one that it has lost or thinks done', async () => {
    const { openJobs, done } = setUp({ a: 'given_up', b: 'unknown', c: 'done' });
    await openJobs.check();
    expect(done).toEqual([
      expect.stringMatching(/^failed a after 6: The job was interrupted 6 times/),
      'enqueued b',
      'enqueued c',
    ]);
  });

  it('finds a lost job behind thousands that wait, of very many in the next check', async () => {
    const ids = Array.from({ length: 12_000 }, (_, n) => `job ${String(n).padStart(5, '0')}`);
    const states = ids.map(
      (id) => [id, ['job 02999', 'job 11999'].includes(id) ? 'unknown' : 'open'] as const,
    );
    const { openJobs, done } = setUp(Object.fromEntries(states));
    await openJobs.check();
    expect(done).toEqual(['enqueued job 02999']);
    await openJobs.check();
    expect(done).toEqual(['enqueued job 02999', 'enqueued job 11999']);
    await openJobs.check();
    expect(done).toEqual(['enqueued job 02999', 'enqueued job 11999', 'enqueued job 02999']);
  });

  it('drops ended jobs, all that are old enough, and again in an hour', async () => {
    const { openJobs, done } = setUp({}, 30);
    await openJobs.check();
    expect(done).toEqual(Array(3).fill('dropped after 30 days'));
    await openJobs.check();
    expect(done).toHaveLength(3);
  });
});

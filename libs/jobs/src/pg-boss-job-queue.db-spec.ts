import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { waitFor } from '../../../test/support/wait-for.js';
import { installJobQueue } from './adapters/install-job-queue.js';
import { PgBossJobQueue } from './index.js';

describeOnEachEngine('PgBossJobQueue', (open) => {
  let queue: PgBossJobQueue | undefined;
  afterEach(() => queue?.stop());

  async function start() {
    queue = new PgBossJobQueue(open());
    await queue.start();
    return queue;
  }

  // First of all: the database has no queue yet.
  it('is installed by processes that start at the same time', async () => {
    await Promise.all(Array.from({ length: 4 }, () => installJobQueue(open())));
    const queues = await open().withoutTenant.query({ text: 'select name from pgboss.queue' });
    expect(queues.length).toBeGreaterThan(3);
  });

  it('runs a job exactly when its transaction committed', async () => {
    const jobs = await start();
    const [kept, undone] = [randomUUID(), randomUUID()];
    const seen: string[] = [];
    await jobs.work('index-document', { concurrency: 2 }, async ({ jobId }) => {
      seen.push(jobId);
      return Promise.resolve({ outcome: 'done' });
    });
    await open()
      .transaction(async (tx) => {
        await jobs.enqueue('index-document', { jobId: undone }, tx);
        throw new Error('undo');
      })
      .catch(() => undefined);
    await open().transaction((tx) => jobs.enqueue('index-document', { jobId: kept }, tx));
    jobs.wake();
    await waitFor('the job to run', () => seen.includes(kept));
    expect(seen).not.toContain(undone);
  });

  it('tries a job again that threw, and counts the attempts', async () => {
    const jobs = await start();
    const jobId = randomUUID();
    const attempts: number[] = [];
    await jobs.work('index-document', { concurrency: 1 }, (payload, { attempt, isLastAttempt }) => {
      if (payload.jobId !== jobId) return Promise.resolve({ outcome: 'done' });
      attempts.push(attempt);
      expect(isLastAttempt).toBe(false);
      return attempt < 2 ? Promise.reject(new Error('not yet')) : Promise.resolve({ outcome: 'done' });
    });
    await open().transaction((tx) => jobs.enqueue('index-document', { jobId }, tx));
    jobs.wake();
    await waitFor('the second attempt', () => attempts.length === 2);
    expect(attempts).toEqual([1, 2]);
  });

  it('keeps a job that was enqueued again from an attempt of before that ends meanwhile', async () => {
    const jobs = await start();
    const [jobId, next] = [randomUUID(), randomUUID()];
    const attempts: { attempt: number; end: () => void }[] = [];
    let nextRuns = false;
    await jobs.work('index-document', { concurrency: 2 }, async (payload, { attempt }) => {
      if (payload.jobId === next) nextRuns = true;
      if (payload.jobId === jobId) await new Promise<void>((end) => attempts.push({ attempt, end }));
      return { outcome: 'done' };
    });
    await open().transaction((tx) => jobs.enqueue('index-document', { jobId }, tx));
    jobs.wake();
    await waitFor('the first attempt', () => attempts.length === 1);
    await open().transaction((tx) => jobs.enqueueAgain('index-document', { jobId }, tx));
    jobs.wake();
    await waitFor('the attempt after', () => attempts.length === 2);
    attempts[0]!.end();
    await open().transaction((tx) => jobs.enqueue('index-document', { jobId: next }, tx));
    jobs.wake();
    await waitFor('the first attempt to be over', () => nextRuns);
    const other = randomUUID();
    expect(await jobs.statesOf('index-document', [jobId, other])).toEqual(new Map([[jobId, 'open']]));
    attempts[1]!.end();
    await waitFor(
      'the job to be done',
      async () => (await jobs.statesOf('index-document', [jobId])).get(jobId) === 'done',
    );
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  it('works many jobs one after the other without waiting for its poll between them', async () => {
    const jobs = await start();
    const ids = new Set<string>(Array.from({ length: 20 }, () => randomUUID()));
    const seen: string[] = [];
    await open().transaction(async (tx) => {
      for (const jobId of ids) await jobs.enqueue('index-document', { jobId }, tx);
    });
    await jobs.work('index-document', { concurrency: 1 }, ({ jobId }) => {
      if (ids.has(jobId)) seen.push(jobId);
      return Promise.resolve({ outcome: 'done' });
    });
    jobs.wake();
    // One a poll would take 40 s.
    await waitFor('all jobs', () => seen.length === ids.size, 20_000);
    expect(new Set(seen)).toEqual(ids);
  });

  it('tells a running job that the worker stops', async () => {
    const jobs = await start();
    let stopped = false;
    let running = false;
    await jobs.work('index-document', { concurrency: 1 }, async (_payload, { signal }) => {
      running = true;
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
      });
      stopped = true;
      throw signal.reason;
    });
    await open().transaction((tx) => jobs.enqueue('index-document', { jobId: randomUUID() }, tx));
    jobs.wake();
    await waitFor('the job to run', () => running);
    await jobs.stop();
    expect(stopped).toBe(true);
  });
});

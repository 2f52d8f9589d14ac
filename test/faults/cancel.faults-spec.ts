import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PageServer } from '../support/page-server.js';
import { serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { Borders, documentOf } from './borders.js';
import { FaultyService, Gate } from './faulty-service.js';
import { untilBlocked } from './held-jobs.js';
import { findLeftovers, isIdle } from './stored-corpus.js';

const CANCEL_MS_MAX = 2_000;

describe('cancelling', () => {
  let service: FaultyService | undefined;
  let pages: PageServer | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    service = await FaultyService.start({ FETCH_ALLOW_NETWORKS: '127.0.0.0/8', INDEX_CONCURRENCY: '8' });
    pages = await PageServer.start();
    await service.createCollections('faulty', 'committing');
  });

  afterAll(async () => {
    await service?.close();
    await pages?.close();
  });

  it('takes effect within 2 s at every stage, waits for a commit, and what was cancelled can be done again', async () => {
    const { client, find } = service!;
    const borders = new Borders(service!, pages!);
    const worker = await service!.startWorker().ready();
    await borders.hold(worker);

    const tookMs: Record<string, number> = {};
    for (const border of ['fetch', 'embed', 'stage', 'parse']) {
      const { job_id } = borders.jobs.get(border)!;
      const start = Date.now();
      const { status, body } = await client.post(`/jobs/${job_id}/cancel`, {});
      expect({ status, job: body.status }).toEqual({ status: 200, job: 'cancelled' });
      const end = await waitFor(`the worker to let go of the job at ${border}`, () =>
        worker.events.find((event) => event.kind === 'finished' && event.jobId === job_id),
      );
      tookMs[border] = end.atMs - start;
    }
    console.log('cancelled after (ms)', tookMs);
    expect(Math.max(...Object.values(tookMs))).toBeLessThan(CANCEL_MS_MAX);

    const cancelling = client.post(`/jobs/${borders.jobs.get('store')!.job_id}/cancel`, {});
    await untilBlocked(service!.database, 'update index_jobs j set status');
    await borders.release();
    expect(await cancelling).toMatchObject({
      status: 409,
      body: { code: 'job_conflict', detail: 'The job has ended already: it is ready.' },
    });
    expect(await client.jobEnd(borders.jobs.get('store')!)).toMatchObject({ status: 'ready', attempts: 1 });
    const done = await client.post(`/jobs/${borders.jobs.get('done')!.job_id}/cancel`, {});
    expect(done).toMatchObject({ status: 409, body: { code: 'job_conflict' } });
    expect(await find.call(service, 'faulty', documentOf('embed'))).toEqual([0]);

    for (const border of ['fetch', 'embed', 'stage', 'parse']) {
      const { job_id } = borders.jobs.get(border)!;
      expect((await client.post(`/jobs/${job_id}/retry`, {})).status).toBe(202);
      expect(await client.jobEnd({ job_id })).toMatchObject({ status: 'ready' });
    }
    expect(await find.call(service, 'faulty', documentOf('embed'))).toEqual([1]);
    await waitFor('the queue to be empty', () => isIdle(service!.database));
    expect(await findLeftovers(service!.database)).toEqual({});
    worker.kill();
  }, 180_000);

  it('leaves nothing of a second attempt behind when the job is done again', async () => {
    const { client, models, database } = service!;
    const hanging = new Gate();
    let requests = 0;
    models.beforeEmbedding = () => ((requests += 1) > 3 ? hanging.pass() : null);
    for (let number = 0; number < 3; number += 1) models.faults.push({ status: 503 });
    const job = await service!.submit('faulty', documentOf('again'), 0);
    service!.startWorker();
    await waitFor('the second attempt to embed', () => hanging.isReached);
    expect(await findLeftovers(database)).toHaveProperty(['staged chunks']);
    expect((await client.post(`/jobs/${job.job_id}/cancel`, {})).status).toBe(200);
    models.beforeEmbedding = () => null;
    expect((await client.post(`/jobs/${job.job_id}/retry`, {})).status).toBe(202);
    expect(await client.jobEnd(job)).toMatchObject({ status: 'ready', attempts: 1, error: null });
    await waitFor('the queue to be empty', () => isIdle(database));
    expect(await findLeftovers(database)).toEqual({});
  }, 120_000);
});

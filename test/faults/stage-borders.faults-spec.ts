import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PageServer } from '../support/page-server.js';
import { serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { Borders, documentOf } from './borders.js';
import { FaultyService } from './faulty-service.js';
import { findLeftovers, fingerprints, isIdle } from './stored-corpus.js';

const TAKEOVER_MS_MAX = 20_000;
describe('a worker at the borders of its stages', () => {
  let service: FaultyService | undefined;
  let pages: PageServer | undefined;

  beforeEach(async (context) => {
    if (serverMissing) context.skip(serverMissing);
    service = await FaultyService.start({ FETCH_ALLOW_NETWORKS: '127.0.0.0/8', INDEX_CONCURRENCY: '8' });
    pages = await PageServer.start();
    await service.createCollections('faulty', 'committing', 'golden', 'golden-committing');
  });

  afterEach(async () => {
    await service?.close();
    await pages?.close();
  });

  async function indexGolden({ client, submit }: FaultyService): Promise<void> {
    const index = submit.bind(service);
    for (const [border, paragraphs, revision] of [
      ['embed', 3, 1],
      ['stage', 200, 0],
      ['done', 3, 0],
      ['parse', 3, 0],
    ] as const)
      await index('golden', documentOf(border, paragraphs), revision);
    await index('golden-committing', documentOf('store'), 0);
    const { status } = await client.post('/index', {
      url: pages!.url('/page'),
      collection: 'golden',
      external_id: 'fetch',
      metadata: { document: 'fetch' },
    });
    expect(status).toBe(202);
  }

  async function expectGolden({ database }: FaultyService): Promise<void> {
    await waitFor('the undisturbed run', () => isIdle(database));
    expect(await fingerprints(database, 'faulty')).toEqual(await fingerprints(database, 'golden'));
    expect(await fingerprints(database, 'committing')).toEqual(
      await fingerprints(database, 'golden-committing'),
    );
    expect(Object.keys(await fingerprints(database, 'golden'))).toHaveLength(5);
    expect(await findLeftovers(database)).toEqual({});
  }

  it('that is killed at any of them has its jobs taken over within 20 s, and each document is there once', async () => {
    const borders = new Borders(service!, pages!);
    const first = await service!.startWorker().ready();
    await borders.hold(first);
    const second = await service!.startWorker().ready();
    expect(await service!.find('faulty', documentOf('embed'))).toEqual([0]);
    first.kill();
    const killedAtMs = Date.now();
    await borders.forgetCompletion();
    await borders.release();

    const takeovers = new Map<string, number>();
    for (const [border, { job_id }] of borders.jobs) {
      const start = await waitFor(`the job at ${border} to be taken over`, () =>
        second.events.find((event) => event.kind === 'started' && event.jobId === job_id),
      );
      takeovers.set(border, start.atMs - killedAtMs);
    }
    console.log('taken over after (ms)', Object.fromEntries(takeovers));
    expect(Math.max(...takeovers.values())).toBeLessThan(TAKEOVER_MS_MAX);
    for (const job of borders.jobs.values()) expect((await service!.client.jobEnd(job)).status).toBe('ready');
    expect(await service!.find('faulty', documentOf('embed'))).toEqual([1]);
    await indexGolden(service!);
    await expectGolden(service!);
  }, 180_000);

  it('that is frozen and comes back after another has done its jobs changes nothing, and goes on with others', async () => {
    const borders = new Borders(service!, pages!);
    const first = await service!.startWorker().ready();
    await borders.hold(first);
    first.kill('SIGSTOP');
    const second = await service!.startWorker().ready();
    await borders.release();
    for (const job of borders.jobs.values()) expect((await service!.client.jobEnd(job)).status).toBe('ready');
    await indexGolden(service!);
    await expectGolden(service!);
    const before = await fingerprints(service!.database, 'faulty');

    first.kill('SIGCONT');
    second.kill();
    await second.process.ended();
    const other = await service!.submit('faulty', documentOf('other'), 0);
    expect((await service!.client.jobEnd(other)).status).toBe('ready');
    expect(first.events.some(({ jobId }) => jobId === other.job_id)).toBe(true);
    await waitFor('the frozen worker to let go of its jobs', () => first.heldJobs.length === 0);
    expect(await fingerprints(service!.database, 'faulty')).toMatchObject(before);
    expect(await findLeftovers(service!.database)).toEqual({});
  }, 240_000);
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AcceptedView, JobView, Reply } from '../support/ragstone-client.js';
import { diskMissing, SmallDisk } from '../support/small-disk.js';
import { OwnStack, serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { documentOf } from './borders.js';
import { FaultyService } from './faulty-service.js';
import { findLeftovers, isIdle } from './stored-corpus.js';

const PORT_BASE = 25_800;
const DISK_KB = 600_000;
const LEFT_BYTES = 10_000_000;
const DOCUMENT_BYTES = 1_500_000;

describe('a database whose disk is full', () => {
  let disk: SmallDisk | null = null;
  let store: OwnStack | undefined;
  let service: FaultyService | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
    if (!disk) context.skip(diskMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    disk = await SmallDisk.mount(DISK_KB);
    if (!disk) return;
    store = await OwnStack.start(PORT_BASE, { folder: disk.folder });
    const { DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl } = store.urls;
    service = await FaultyService.start({ DATABASE_CONNECT_TIMEOUT_MS: '2000' }, { url, directUrl });
  });

  afterAll(async () => {
    await service?.close();
    await store?.remove();
    await disk?.unmount();
  });

  it('takes no document that it can not store, says so, loses none that was accepted, and goes on when there is room', async () => {
    const { client, database } = service!;
    await service!.createCollections('faulty');
    const worker = await service!.startWorker().ready();
    await client.jobEnd(await service!.submit('faulty', documentOf('before'), 0));

    await disk!.fill(LEFT_BYTES);
    const accepted: AcceptedView[] = [];
    const refused = await waitFor('the disk to be full', async () => {
      // Large to store, and next to nothing to index.
      const comment = randomBytes(DOCUMENT_BYTES / 2).toString('hex');
      const page = `<html><!-- ${comment} --><body><p>Document ${accepted.length} of many.</p></body></html>`;
      const reply: Reply<AcceptedView & { code?: string }> = await client.upload(
        `large-${accepted.length}.html`,
        Buffer.from(page),
        { collection: 'faulty' },
      );
      if (reply.status === 202) accepted.push(reply.body);
      return reply.status !== 202 && reply;
    });
    expect([503, 507]).toContain(refused.status);
    expect(['database_full', 'database_unavailable', 'database_timeout']).toContain(refused.body.code);

    await disk!.makeRoom();
    await store!.run('up', 'pg', 'pgbouncer'); // where it could not come back by itself
    await waitFor(
      'the service to answer again',
      async () => (await client.get('/jobs?limit=1')).status === 200,
    );
    for (const job of accepted) {
      const end = await waitFor(
        'the job to end',
        async () => {
          const { status, body } = await client.get<JobView>(`/jobs/${job.job_id}`);
          return status === 200 && !['queued', 'running'].includes(body.status) && body;
        },
        120_000,
      );
      // An attempt at every moment of the outage may have been the last one: then it says so, and is tried again.
      if (end.status === 'failed') {
        expect(end.error).toMatchObject({ code: expect.stringMatching(/^database_/), retryable: true });
        expect((await client.post(`/jobs/${job.job_id}/retry`, {})).status).toBe(202);
        expect(await client.jobEnd(job, 120_000)).toMatchObject({ status: 'ready' });
      }
    }
    expect(worker.hasEnded).toBe(false);
    expect(await service!.find('faulty', documentOf('before'))).toEqual([0]);
    const next = await service!.submit('faulty', documentOf('after'), 0);
    expect(await client.jobEnd(next)).toMatchObject({ status: 'ready' });
    await waitFor('the queue to be empty', () => isIdle(database).catch(() => false)); // its connections broke, too
    expect(await findLeftovers(database)).toEqual({});
  }, 300_000);
});

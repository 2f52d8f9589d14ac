import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { documentOf } from './borders.js';
import { textOf } from './faulty-documents.js';
import { FaultyService, Gate } from './faulty-service.js';
import { lockRows, untilBlocked } from './held-jobs.js';
import { findLeftovers, isIdle } from './stored-corpus.js';

const EPOCH = 'update collections set epoch';

/** Each pair of transactions in the order in which they would wait for each other for ever, were the order of locks not the same. */
describe('a commit of a worker and a request at the same moment', () => {
  let service: FaultyService | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    service = await FaultyService.start({ INDEX_CONCURRENCY: '4' });
    await service.createCollections('faulty', 'batches');
    await service.startWorker().ready();
  });

  afterAll(() => service?.close());

  const lockCollection = (name: string) =>
    lockRows(service!.database, {
      text: 'select id from collections where name = $1::text for no key update',
      values: [name],
    });

  /** The next document with that word stands before its embedding until the gate opens. */
  function holdEmbedding(word: string): Gate {
    const gate = new Gate();
    service!.models.beforeEmbedding = (texts) => (texts.join().includes(word) ? gate.pass() : null);
    return gate;
  }

  async function expectNothingLeft(): Promise<void> {
    await waitFor('the queue to be empty', () => isIdle(service!.database));
    expect(await findLeftovers(service!.database)).toEqual({});
  }

  it('that deletes another document of the same batch: both happen', async () => {
    const { client, database } = service!;
    const gate = holdEmbedding('waitingword');
    const { body: batch } = await client.post<AcceptedView>('/index/batch', {
      collection: 'batches',
      documents: [
        { text: 'A waitingword.', external_id: 'waiting' },
        { text: 'One that is committed.', external_id: 'committed' },
      ],
    });
    const lock = await lockCollection('batches');
    await untilBlocked(database, EPOCH);
    const { body } = await client.get<{ jobs: JobView[] }>(`/jobs?parent=${batch.job_id}`);
    await waitFor('the other one to stand still', () => gate.isReached);
    const [document] = await database.query<{ id: string }>({
      text: 'select id from documents where external_id = $1::text',
      values: ['waiting'],
    });
    const waiting = body.jobs.find(({ document_id }) => document_id === document!.id)!;
    const deleted = client.delete(`/documents/${waiting.document_id}`);
    await untilBlocked(database, EPOCH, 2);
    await lock.release();
    expect(await deleted).toBe(204);
    gate.release();
    expect(await client.jobEnd(batch)).toMatchObject({
      status: 'ready',
      total: 2,
      resolved_count: 1,
      skipped_count: 1,
    });
    const committed = body.jobs.find(({ job_id }) => job_id !== waiting.job_id)!;
    expect(await client.job(committed.job_id)).toMatchObject({ status: 'ready', attempts: 1, error: null });
    await expectNothingLeft();
  });

  it('that is a batch with new metadata and that very document: both happen', async () => {
    const { client, database } = service!;
    const [first, second] = [documentOf('first'), documentOf('second')];
    await client.jobEnd(await service!.submit('batches', first, 0));
    const gate = holdEmbedding('secondword');
    const job = await service!.submit('batches', second, 0);
    await waitFor('the document to be embedded', () => gate.isReached);
    const lock = await lockCollection('batches');
    const batch = client.post<AcceptedView>('/index/batch', {
      collection: 'batches',
      documents: [first, second].map((document) => ({
        external_id: document.externalId,
        text: textOf(document, 0),
        metadata: { document: document.externalId, read: true },
      })),
    });
    await untilBlocked(database, EPOCH);
    gate.release();
    await untilBlocked(database, 'for no key update'); // the worker's commit, for its document
    await lock.release();
    expect(await batch).toMatchObject({ status: 202 });
    expect(await client.jobEnd(job)).toMatchObject({ status: 'ready', attempts: 1 });
    const { body } = await client.get(`/documents/${job.document_id}`);
    expect(body).toMatchObject({ metadata: { document: 'second', read: true } });
    await expectNothingLeft();
  });

  it('that cancels it and is first: the commit does not happen, and can be tried again at once', async () => {
    const { client, database } = service!;
    const document = documentOf('cancelled');
    await client.jobEnd(await service!.submit('faulty', document, 0));
    const gate = holdEmbedding('mark1x');
    const job = await service!.submit('faulty', document, 1);
    await waitFor('the document to be embedded', () => gate.isReached);
    const lock = await lockRows(database, {
      text: 'select v.id from document_versions v join index_jobs j on j.version_id = v.id where j.id = $1::uuid for update of v',
      values: [job.job_id],
    });
    const cancelled = client.post(`/jobs/${job.job_id}/cancel`, {});
    await untilBlocked(database, `update index_jobs j set status = 'cancelled'`); // it has the job, not yet its version
    gate.release();
    await untilBlocked(database, '', 2); // whatever the worker writes next
    await lock.release();
    expect(await cancelled).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect((await client.post(`/jobs/${job.job_id}/retry`, {})).status).toBe(202);
    expect(await client.jobEnd(job)).toMatchObject({ status: 'ready', error: null });
    expect(await service!.find('faulty', document)).toEqual([1]);
    await expectNothingLeft();
  });

  it.each([
    ['and is first: the commit does not happen', 'delete'],
    ['and is second: it waits for the commit', 'commit'],
  ])('that deletes the document %s', async (_order, first) => {
    const { client, database } = service!;
    const document = documentOf(`deleted-${first}`);
    await client.jobEnd(await service!.submit('faulty', document, 0));
    const gate = holdEmbedding('mark1x');
    const job = await service!.submit('faulty', document, 1);
    await waitFor('the document to be embedded', () => gate.isReached);
    const lock = await lockCollection('faulty');
    const remove = () => client.delete(`/documents/${job.document_id}`);
    let deleted: Promise<number>;
    if (first === 'delete') {
      deleted = remove();
      await untilBlocked(database, EPOCH);
      gate.release();
      await untilBlocked(database, '', 2);
    } else {
      gate.release();
      await untilBlocked(database, EPOCH);
      deleted = remove();
      await untilBlocked(database, 'from documents');
    }
    await lock.release();
    expect(await deleted).toBe(204);
    expect((await client.get(`/jobs/${job.job_id}`)).status).toBe(404);
    expect(await service!.find('faulty', document)).toEqual([]);
    await expectNothingLeft();
  });

  it('that retries a job which was just cancelled: another worker may take it, and it is done once', async () => {
    const { client, models } = service!;
    const document = documentOf('retried');
    const gates = [new Gate(), new Gate()];
    let held = 0;
    models.beforeEmbedding = (texts) =>
      texts.join().includes('retriedword') ? (gates[held++]?.pass() ?? null) : null;
    const job = await service!.submit('faulty', document, 0);
    await waitFor('the first attempt', () => gates[0]!.isReached);
    expect((await client.post(`/jobs/${job.job_id}/cancel`, {})).status).toBe(200);
    expect((await client.post(`/jobs/${job.job_id}/retry`, {})).status).toBe(202);
    const worker = service!.workers[0]!;
    await waitFor('the second attempt', () => gates[1]!.isReached);
    await waitFor('the first one to be over', () =>
      worker.events.some(({ kind, jobId }) => kind === 'finished' && jobId === job.job_id),
    );
    gates[0]!.release();
    const after = await service!.submit('faulty', documentOf('after'), 0);
    await client.jobEnd(after); // the slot of the first attempt has gone on
    const [row] = await service!.database.withoutTenant.query<{ state: string }>({
      text: 'select state::text from pgboss.job where id = $1::uuid',
      values: [job.job_id],
    });
    expect(row!.state).toBe('active'); // a worker that dies now loses it to the next
    gates[1]!.release();
    expect(await client.jobEnd(job)).toMatchObject({ status: 'ready', attempts: 1 });
    await expectNothingLeft();
  });
});

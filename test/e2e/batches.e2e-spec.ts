import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { describeOnEachStore, embeddingsOf } from '../support/stores.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

const refusal = { status: 400, body: JSON.stringify({ error: { message: 'not in the mood' } }) };

interface BatchView {
  job_id: string;
  total: number | null;
  status: string;
}

interface SkippedView {
  number?: number;
  external_id: string | null;
  reason: string;
  code?: string;
  message?: string;
  document_id?: string;
}

const skippedOf = ({ details }: JobView) => details.skipped as SkippedView[] | undefined;

describeOnEachStore('batches', { INDEX_CONCURRENCY: '1' }, (open) => {
  const client = () => open().api.client;

  async function newCollection(): Promise<string> {
    const name = `c-${randomUUID()}`;
    await client().post('/collections', { name });
    return name;
  }

  async function submit(body: Record<string, unknown>): Promise<BatchView> {
    const reply = await client().post<BatchView>('/index/batch', body);
    expect(reply).toMatchObject({ status: 202, body: { status: 'queued' } });
    return reply.body;
  }

  const childrenOf = async (jobId: string, query = '') =>
    (await client().get<{ jobs: JobView[] }>(`/jobs?parent=${jobId}&limit=200${query}`)).body.jobs;

  it('count ready, failing, unchanged, duplicate and refused documents, and try the failing ones again', async () => {
    const collection = await newCollection();
    await client().indexText('It was there before.', { collection, external_id: 'before' });
    const { job_id, total } = await submit({
      collection,
      documents: [
        { text: 'A new document.', external_id: 'new', metadata: { kind: 'note' }, title: 'New' },
        { text: 'It was there before.', external_id: 'before' },
        { text: ' \n ', external_id: 'empty' },
        { file_path: 'not-there.md', external_id: 'missing' },
        { text: 'It was there before.', external_id: 'copy' },
      ],
    });
    expect(total).toBe(5);
    const job = await client().jobEnd({ job_id });
    expect(job).toMatchObject({
      kind: 'batch',
      status: 'failed',
      unit: 'documents',
      total: 5,
      done: 5,
      resolved_count: 2,
      still_failing_count: 1,
      skipped_count: 2,
      error: { code: 'documents_failed', stage: 'children' },
    });
    expect(skippedOf(job)).toMatchObject([
      { number: 3, external_id: 'missing', reason: 'refused', code: 'file_not_found' },
      { number: 1, external_id: 'before', reason: 'unchanged' },
    ]);
    const children = await childrenOf(job_id);
    expect(children.every(({ parent_job_id }) => parent_job_id === job_id)).toBe(true);
    const failed = await childrenOf(job_id, '&status=failed');
    expect(failed.map(({ error }) => error?.code)).toEqual(['document_empty']);

    // Nothing is different the second time, but it is tried.
    const retried = await client().call<{ count: number; job_id: string }>(`/jobs/${job_id}/retry`);
    expect(retried).toMatchObject({ status: 202, body: { count: 1, job_id } });
    expect(await client().jobEnd({ job_id })).toMatchObject({ status: 'failed', still_failing_count: 1 });
    const document = await client().get(`/documents/${children.at(-1)!.document_id}`);
    expect(document.body).toMatchObject({ title: 'New', metadata: { kind: 'note' }, external_id: 'new' });
  });

  it('are ready once their failing documents are', async () => {
    const collection = await newCollection();
    open().models.outage = refusal;
    const documents = ['Alpha.', 'Beta.', 'Gamma.'].map((text) => ({ text }));
    const { job_id } = await submit({ collection, documents });
    expect(await client().jobEnd({ job_id })).toMatchObject({
      status: 'failed',
      still_failing_count: 3,
      resolved_count: 0,
    });
    open().models.outage = null;
    const one = (await childrenOf(job_id))[0]!;
    expect((await client().call(`/jobs/${one.job_id}/retry`)).status).toBe(202);
    await waitFor('one to be ready', async () => {
      const { status, resolved_count } = await client().job(job_id);
      return status === 'failed' && resolved_count === 1;
    });
    expect((await client().post('/jobs/retry', { parent: job_id })).body).toMatchObject({ count: 2, job_id });
    expect(await client().jobEnd({ job_id })).toMatchObject({
      status: 'ready',
      error: null,
      resolved_count: 3,
      still_failing_count: 0,
      done: 3,
    });
    expect((await client().call(`/jobs/${job_id}/retry`)).status).toBe(409);
  });

  it('with one document that the model refuses have all others', async () => {
    const collection = await newCollection();
    open().models.poison = 'hemlock';
    const documents = Array.from({ length: 32 }, (_, n) => ({
      text: n === 17 ? 'A cup of hemlock.' : `A cup of tea, the ${n}th.`,
      external_id: String(n),
    }));
    const { job_id } = await submit({ collection, documents });
    expect(await client().jobEnd({ job_id })).toMatchObject({ resolved_count: 31, still_failing_count: 1 });
    const [refused] = await childrenOf(job_id, '&status=failed');
    expect(refused!.error).toMatchObject({
      code: 'model_rejected_request',
      stage: 'embed',
      message: expect.stringContaining('chunk 0 of the document (characters 0 to 17)'),
    });
    open().models.poison = null;
    expect((await client().call(`/jobs/${job_id}/retry`)).body).toMatchObject({ count: 1 });
    expect((await client().jobEnd({ job_id })).status).toBe('ready');
  });

  it('of nothing new end at once', async () => {
    const collection = await newCollection();
    await client().indexText('Known.', { collection });
    const { job_id } = await submit({ collection, documents: [{ text: 'Known.' }, { file_path: '../out' }] });
    expect(await client().job(job_id)).toMatchObject({
      status: 'ready',
      total: 2,
      skipped_count: 2,
      resolved_count: 0,
    });
  });

  it('are cancelled with all their documents, and tried again with all of them', async () => {
    const collection = await newCollection();
    open().models.hold();
    const documents = Array.from({ length: 5 }, (_, n) => ({ text: `Cancelled ${n}.` }));
    const { job_id } = await submit({ collection, documents });
    await waitFor('the first to run', async () =>
      (await childrenOf(job_id)).some(({ stage }) => stage === 'embed'),
    );
    const cancelled = await client().call<JobView>(`/jobs/${job_id}/cancel`);
    expect(cancelled.status).toBe(200);
    expect(cancelled.body).toMatchObject({ status: 'cancelled', skipped_count: 5, resolved_count: 0 });
    expect((await childrenOf(job_id)).map(({ status }) => status)).toEqual(Array(5).fill('cancelled'));
    expect((await client().call(`/jobs/${job_id}/cancel`)).status).toBe(409);
    open().models.release();
    const other = await client().indexText('Something else.', { collection });
    const listed = await client().get<{
      documents: { document_id: string; current_version: number | null }[];
    }>(`/documents?collection=${collection}`);
    expect(
      listed.body.documents.filter(({ current_version }) => current_version).map((d) => d.document_id),
    ).toEqual([other.document_id]);
    expect((await client().call(`/jobs/${job_id}/retry`)).body).toMatchObject({ count: 5 });
    expect(await client().jobEnd({ job_id })).toMatchObject({
      status: 'ready',
      resolved_count: 5,
      skipped_count: 0,
      error: null,
    });
  });

  it('end although documents are deleted while they wait', async () => {
    const collection = await newCollection();
    open().models.hold();
    const documents = Array.from({ length: 3 }, (_, n) => ({ text: `Deleted ${n}.` }));
    const { job_id } = await submit({ collection, documents });
    for (const { document_id } of await childrenOf(job_id)) {
      expect(await client().delete(`/documents/${document_id}`)).toBe(204);
    }
    expect(await client().jobEnd({ job_id })).toMatchObject({ status: 'ready', total: 3, skipped_count: 3 });
  });

  it('take the files of a form, each under its name with its folders', async () => {
    const collection = await newCollection();
    const form = new FormData();
    form.append('collection', collection);
    form.append('metadata', '{"team": "harbour"}');
    const long = `${'long/'.repeat(150)}name.txt`;
    for (const [name, text] of [
      ['north/readme.md', '# North\n\nThe north pier.'],
      ['south/readme.md', '# South\n\nThe south pier.'],
      ['picture.png', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
      [long, 'Too long a name.'],
    ]) {
      form.append('file', new Blob([Buffer.from(text!, 'latin1')]), name);
    }
    const reply = await fetch(`${client().url}/index/batch`, { method: 'POST', body: form });
    expect(reply.status).toBe(202);
    const { job_id, total } = (await reply.json()) as BatchView;
    expect(total).toBe(4);
    const job = await client().jobEnd({ job_id });
    expect(job).toMatchObject({ status: 'ready', resolved_count: 2, skipped_count: 2 });
    expect(skippedOf(job)).toMatchObject([
      { number: 2, external_id: 'upload:picture.png', reason: 'refused', code: 'unsupported_media_type' },
      { number: 3, reason: 'refused', code: 'invalid_request' },
    ]);
    const { body } = await client().get<{
      documents: { external_id: string; title: string; metadata: object }[];
    }>(`/documents?collection=${collection}`);
    expect(body.documents).toMatchObject([
      { external_id: 'upload:south/readme.md', title: 'South', metadata: { team: 'harbour' } },
      { external_id: 'upload:north/readme.md', title: 'North', metadata: { team: 'harbour' } },
    ]);
  });

  it('answer 422 for what is no batch', async () => {
    for (const body of [
      {},
      { documents: [] },
      { documents: [{}] },
      { documents: [{ text: 'a', file_path: 'b' }] },
      { documents: [{ text: 'a' }], priority: 'urgent' },
      { documents: Array.from({ length: 1_001 }, () => ({ text: 'a' })) },
    ]) {
      expect((await client().post('/index/batch', body)).status).toBe(422);
    }
    const reply = await fetch(`${client().url}/index/batch`, { method: 'POST', body: new FormData() });
    expect(reply.status).toBe(422);
    const elsewhere = { collection: 'nowhere', documents: [{ text: 'a' }] };
    expect((await client().post('/index/batch', elsewhere)).status).toBe(404);
  });

  it('with the same Idempotency-Key have one effect and one answer, also when sent at the same time', async () => {
    const collection = await newCollection();
    const headers = { 'idempotency-key': randomUUID() };
    const body = { collection, documents: [{ text: 'Once.' }, { text: 'And once.' }, { file_path: 'gone' }] };
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => client().post<BatchView>('/index/batch', body, headers)),
    );
    expect(new Set(replies.map((reply) => JSON.stringify([reply.status, reply.body]))).size).toBe(1);
    const { body: list } = await client().get<{ jobs: JobView[] }>(
      `/jobs?collection=${collection}&kind=batch`,
    );
    expect(list.jobs).toHaveLength(1);
    for (const other of [
      { ...body, documents: body.documents.slice(0, 2) },
      { ...body, documents: [...body.documents, { text: 'Twice.' }] },
    ]) {
      const reused = await client().post('/index/batch', other, headers);
      expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    }
  });

  it('and single documents: the same Idempotency-Key is one document', async () => {
    const collection = await newCollection();
    const headers = { 'idempotency-key': `order ${randomUUID()}`.replace(' ', '-') };
    const body = { collection, text: 'The order of the harbour master.' };
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => client().post<AcceptedView>('/index', body, headers)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(replies.map((reply) => JSON.stringify(reply.body))).size).toBe(1);
    expect(replies[0]!.body.status).toBe('queued');
    // Still the same answer when the document is long ready.
    await client().jobEnd(replies[0]!.body);
    expect((await client().post('/index', body, headers)).body).toEqual(replies[0]!.body);
    for (const other of [
      { ...body, text: 'Another.' },
      { ...body, title: 'Order' },
      { ...body, metadata: { a: 1 } },
    ]) {
      expect(await client().post('/index', other, headers)).toMatchObject({
        status: 422,
        body: { code: 'idempotency_key_reused' },
      });
    }
    for (const key of ['', 'with space', 'ä', 'x'.repeat(256)]) {
      const reply = await client().post('/index', body, {
        'idempotency-key': encodeURI(key) === key ? key : '%',
      });
      expect([202, 422]).toContain(reply.status);
    }
    expect((await client().post('/index', body, { 'idempotency-key': 'with space' })).status).toBe(422);
    expect((await client().post('/index', body, { 'idempotency-key': 'x'.repeat(256) })).status).toBe(422);
  });

  it('report another document with the same content', async () => {
    const collection = await newCollection();
    const text = 'The tide tables of the year.';
    const first = await client().indexText(text, { collection, external_id: 'a' });
    expect(first.duplicate_of).toBeNull();
    const second = await client().indexText(text, { collection, external_id: 'b' });
    expect(second).toMatchObject({ status: 'queued', duplicate_of: first.document_id });
    const same = await client().post<AcceptedView>('/index', { text, collection, external_id: 'a' });
    expect(same.body).toMatchObject({ status: 'unchanged', job_id: first.job_id, version: 1 });
    const elsewhere = await client().indexText(text, { collection: await newCollection() });
    expect(elsewhere.duplicate_of).toBeNull();
  });
});

describe('INDEX_DUPLICATES=skip', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ INDEX_DUPLICATES: 'skip', INDEX_BYTES_MAX: '100000' });
  });
  afterAll(() => api?.close());

  it('makes no document of what another one has already', async () => {
    const text = 'There is one of this.';
    const first = await api.client.indexText(text, { external_id: 'a' });
    const { status, body } = await api.client.post<AcceptedView>('/index', { text, external_id: 'b' });
    expect(status).toBe(202);
    expect(body).toMatchObject({
      status: 'duplicate',
      job_id: null,
      version: null,
      document_id: first.document_id,
      duplicate_of: first.document_id,
    });
    const batch = await api.client.post<BatchView>('/index/batch', {
      documents: [{ text, external_id: 'c' }, { text: 'This is new.' }],
    });
    const job = await api.client.jobEnd(batch.body);
    expect(job).toMatchObject({ status: 'ready', resolved_count: 1, skipped_count: 1 });
    expect(skippedOf(job)).toMatchObject([
      { reason: 'duplicate', external_id: 'c', document_id: first.document_id },
    ]);
    const { body: list } = await api.client.get<{ documents: object[] }>('/documents');
    expect(list.documents).toHaveLength(2);
  });

  it('takes a batch by file_path', async () => {
    await mkdir(join(api.folder, 'notes'), { recursive: true });
    await writeFile(join(api.folder, 'notes', 'one.md'), '# One\n\nThe first note.');
    const { body } = await api.client.post<BatchView>('/index/batch', {
      documents: [{ file_path: 'notes/one.md' }],
    });
    expect(await api.client.jobEnd(body)).toMatchObject({ status: 'ready', resolved_count: 1 });
  });

  it('answers 413 for a form that is larger than several of the largest documents', async () => {
    const form = new FormData();
    for (let number = 0; number < 10; number += 1) {
      form.append('file', new Blob(['x '.repeat(40_000)]), `${number}.txt`);
    }
    const reply = await fetch(`${api.url}/index/batch`, { method: 'POST', body: form });
    expect(reply.status).toBe(413);
    expect(await reply.json()).toMatchObject({ code: 'payload_too_large' });
  });
});

describe('INDEX_QUEUE_MAX', () => {
  it('refuses documents with 429 while so many wait, and takes them afterwards', async () => {
    const models = await MockLlm.start();
    const api = await startTestApi({ ...embeddingsOf(models), INDEX_QUEUE_MAX: '3', INDEX_CONCURRENCY: '1' });
    try {
      models.hold();
      const documents = Array.from({ length: 5 }, (_, n) => ({ text: `Waiting ${n}.` }));
      const first = await api.client.post<BatchView>('/index/batch', { documents });
      const refused = await waitFor('a refusal', async () => {
        const reply = await api.client.post('/index', { text: 'One more.' });
        return reply.status === 429 && reply;
      });
      expect(refused.body).toMatchObject({ code: 'queue_full' });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      models.release();
      expect((await api.client.jobEnd(first.body)).status).toBe('ready');
      await waitFor('room', async () => (await api.client.post('/index', { text: 'Later.' })).status === 202);
    } finally {
      await api.close();
      await models.close();
    }
  });
});

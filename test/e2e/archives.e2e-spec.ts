import { randomUUID } from 'node:crypto';
import { strToU8, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { docxParagraph, makeDocx, makePdf, makeZip } from '../support/documents.js';
import { writeOverlappingZip, writeZip, writeZipOfEmptyFiles } from '../support/hostile-zip.js';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { describeOnEachStore } from '../support/stores.js';
import { waitFor } from '../support/wait-for.js';

const refusal = { status: 400, body: JSON.stringify({ error: { message: 'not in the mood' } }) };
const note = strToU8('a note');

interface ListedDocument {
  document_id: string;
  external_id: string;
  title: string;
  metadata: Record<string, unknown>;
  current_version: number | null;
}

// Room for a few documents, so that the rest of a ZIP waits.
describeOnEachStore('a ZIP that is cancelled while it is unpacked', { INDEX_QUEUE_MAX: '3' }, (open) => {
  const FILES = 200;

  it('makes no document twice when it is tried again', async () => {
    const { client } = open().api;
    const collection = `c-${randomUUID()}`;
    await client.post('/collections', { name: collection });
    open().models.hold();
    const files = Array.from({ length: FILES }, (_, n) => [`${n}.txt`, strToU8(`Number ${n}.`)]);
    const { body } = await client.upload('many.zip', zipSync(Object.fromEntries(files)), { collection });
    const { job_id } = body;
    await waitFor('a document to be embedded', async () => {
      const { body: page } = await client.get<{ jobs: JobView[] }>(`/jobs?parent=${job_id}&limit=200`);
      return page.jobs.some(({ stage }) => stage === 'embed');
    });
    const cancelled = await client.call<JobView>(`/jobs/${job_id}/cancel`);
    expect(cancelled.body).toMatchObject({ status: 'cancelled', stage: 'accept' });
    expect(cancelled.body.skipped_count).toBeGreaterThan(0);
    open().models.release();
    expect((await client.call(`/jobs/${job_id}/retry`)).status).toBe(202);
    const ready = await client.jobWhen('ready again', job_id, ({ status }) => status === 'ready');
    expect(ready).toMatchObject({ total: FILES, resolved_count: FILES, skipped_count: 0 });
    const { body: list } = await client.get<{ documents: ListedDocument[] }>(
      `/documents?collection=${collection}&limit=200`,
    );
    expect(list.documents.map(({ current_version }) => current_version)).toEqual(Array(FILES).fill(1));
  });
});

describeOnEachStore('a ZIP', { INDEX_CONCURRENCY: '2', INDEX_BYTES_MAX: '2000000' }, (open) => {
  const client = () => open().api.client;

  async function newCollection(): Promise<string> {
    const name = `c-${randomUUID()}`;
    expect((await client().post('/collections', { name })).status).toBe(201);
    return name;
  }

  async function send(bytes: Uint8Array, fields: Record<string, string>): Promise<AcceptedView> {
    const reply = await client().upload('handbook.zip', bytes, fields);
    expect(reply).toMatchObject({ status: 202, body: { status: 'queued', document_id: null } });
    return reply.body;
  }

  const childrenOf = async (id: string, query = '') =>
    (await client().get<{ jobs: JobView[] }>(`/jobs?parent=${id}&limit=200${query}`)).body.jobs;

  async function documentsOf(collection: string): Promise<Map<string, ListedDocument>> {
    const { body } = await client().get<{ documents: ListedDocument[] }>(
      `/documents?collection=${collection}&limit=200`,
    );
    return new Map(body.documents.map((document) => [document.external_id, document]));
  }

  const skippedOf = ({ details }: JobView) =>
    (details.skipped as { external_id: string; reason: string; code?: string }[])
      .map(({ external_id, reason, code }) => [external_id, code ?? reason].join(': '))
      .toSorted();

  it('becomes a document for each file that can be read; the others are counted, named and can be tried again', async () => {
    const collection = await newCollection();
    const members = {
      'readme.md': strToU8('---\ntitle: Harbour\nteam: pilots\n---\n# The harbour\n\nThe pier is red.'),
      'folder/ferry.txt': strToU8('The ferry leaves at nine.'),
      'folder/letter.docx': makeDocx(docxParagraph('A letter of the harbour master.')),
      'plan.pdf': await makePdf([{ paragraphs: ['The plan of the lighthouse.'] }]),
      'empty.md': new Uint8Array(),
      'broken.pdf': (await makePdf([{ paragraphs: ['x'] }])).subarray(0, 300),
      'picture.png': Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'),
      'too-large.txt': strToU8('x '.repeat(1_500_000)),
      'inner.zip': makeZip(),
      '__MACOSX/._readme.md': note,
      '.git/config': note,
      'folder/Thumbs.db': note,
      'folder/.DS_Store': note,
    };
    const key = { metadata: '{"source": "handbook"}', collection };
    const { job_id } = await send(zipSync(members), key);
    const job = await client().jobEnd({ job_id });
    expect(job).toMatchObject({
      kind: 'batch',
      status: 'failed',
      stage: 'children',
      total: 9,
      done: 9,
      resolved_count: 4,
      still_failing_count: 2,
      skipped_count: 3,
      error: { code: 'documents_failed' },
    });
    expect(skippedOf(job)).toEqual([
      'handbook.zip/inner.zip: unsupported_media_type',
      'handbook.zip/picture.png: unsupported_media_type',
      'handbook.zip/too-large.txt: payload_too_large',
    ]);
    const failed = await childrenOf(job_id, '&status=failed');
    expect(failed.map(({ error }) => error!.code).toSorted()).toEqual(['document_damaged', 'document_empty']);
    const documents = await documentsOf(collection);
    expect(documents.get('handbook.zip/readme.md')).toMatchObject({
      title: 'Harbour',
      metadata: { source: 'handbook', team: 'pilots' },
      current_version: 1,
    });
    expect(
      [...documents.values()]
        .filter((one) => one.current_version)
        .map((one) => one.external_id)
        .toSorted(),
    ).toEqual(
      ['folder/ferry.txt', 'folder/letter.docx', 'plan.pdf', 'readme.md'].map(
        (path) => `handbook.zip/${path}`,
      ),
    );
    const { body } = await client().post<{ sources: { document_id: string }[] }>('/search', {
      question: 'When does the ferry leave?',
      collection,
      filters: { source: 'handbook' },
    });
    expect(body.sources[0]!.document_id).toBe(documents.get('handbook.zip/folder/ferry.txt')!.document_id);

    expect((await client().call(`/jobs/${job_id}/retry`)).body).toMatchObject({ count: 2 });
    expect(await client().jobEnd({ job_id })).toMatchObject({ status: 'failed', still_failing_count: 2 });

    // The same files again, one of them changed and one of them mended.
    const changed = {
      ...members,
      'folder/ferry.txt': strToU8('The ferry leaves at ten.'),
      'empty.md': strToU8('No longer empty.'),
    };
    const again = await client().jobEnd(await send(zipSync(changed), key));
    expect(again).toMatchObject({
      status: 'failed',
      total: 9,
      resolved_count: 2,
      still_failing_count: 1,
      skipped_count: 6,
    });
    expect(skippedOf(again).filter((line) => line.endsWith('unchanged'))).toHaveLength(3);
    expect((await documentsOf(collection)).get('handbook.zip/folder/ferry.txt')).toMatchObject({
      current_version: 2,
    });
  });

  it('whose documents failed for a reason that has passed is ready when they are tried again: one, or all of them', async () => {
    const collection = await newCollection();
    open().models.outage = refusal;
    const files = ['one', 'two', 'three'].map((name) => [`${name}.txt`, strToU8(`This is ${name}.`)]);
    const { job_id } = await send(zipSync(Object.fromEntries(files)), { collection });
    expect(await client().jobEnd({ job_id })).toMatchObject({ status: 'failed', still_failing_count: 3 });
    open().models.outage = null;
    const [first] = await childrenOf(job_id);
    expect((await client().call(`/jobs/${first!.job_id}/retry`)).status).toBe(202);
    await waitFor('one to be ready', async () => {
      const { status, resolved_count } = await client().job(job_id);
      return status === 'failed' && resolved_count === 1;
    });
    const filter = { collection, code: 'model_rejected_request' };
    expect((await client().post('/jobs/retry', filter)).body).toMatchObject({ count: 2 });
    expect(await client().jobEnd({ job_id })).toMatchObject({
      status: 'ready',
      resolved_count: 3,
      error: null,
    });
  });

  it('sent twice with one Idempotency-Key is one job', async () => {
    const collection = await newCollection();
    const sendOnce = async (bytes: Uint8Array<ArrayBuffer>) => {
      const form = new FormData();
      form.append('collection', collection);
      form.append('file', new Blob([bytes]), 'a.zip');
      const headers = { 'idempotency-key': `zip-${collection}` };
      const reply = await fetch(`${client().url}/index`, { method: 'POST', body: form, headers });
      return { status: reply.status, body: (await reply.json()) as AcceptedView & { code?: string } };
    };
    const bytes = zipSync({ 'a.txt': note });
    const replies = await Promise.all([sendOnce(bytes), sendOnce(bytes), sendOnce(bytes)]);
    expect(new Set(replies.map(({ status, body }) => `${status} ${body.job_id}`)).size).toBe(1);
    expect(replies[0].status).toBe(202);
    const other = await sendOnce(zipSync({ 'b.txt': note }));
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it.each([
    ['a path out of it', () => writeZip([{ name: '../../evil.txt', data: note }]), 'document_unsafe'],
    [
      'a symbolic link',
      () => writeZip([{ name: 'link', data: note, claims: { attributes: (0o120777 << 16) >>> 0 } }]),
      'document_unsafe',
    ],
    ['members that overlap', () => writeOverlappingZip(20, Buffer.alloc(300_000)), 'document_unsafe'],
    [
      '40 MB of zeros',
      () => writeZip([{ name: 'zeros', data: Buffer.alloc(40_000_000) }]),
      'document_too_large',
    ],
    ['30,000 members', () => writeZipOfEmptyFiles(30_000), 'document_too_large'],
    [
      'a password',
      () => writeZip([{ name: 'a.txt', data: note, claims: { flags: 0x801 } }]),
      'document_encrypted',
    ],
    ['its end cut off', () => zipSync({ 'a.txt': note }).subarray(0, 60), 'document_damaged'],
  ])('with %s fails as a whole, says why, and makes no document', async (_what, make, code) => {
    const collection = await newCollection();
    const { job_id } = await send(make(), { collection });
    const job = await client().jobEnd({ job_id });
    expect(job).toMatchObject({
      status: 'failed',
      stage: 'accept',
      attempts: 1,
      error: { code, retryable: false },
    });
    expect(await documentsOf(collection)).toEqual(new Map());
    expect((await client().call(`/jobs/${job_id}/retry`)).status).toBe(202);
    expect(await client().jobEnd({ job_id })).toMatchObject({ status: 'failed', error: { code } });
  });

  it('of nothing that can be read ends, with what was left out', async () => {
    const collection = await newCollection();
    const { job_id } = await send(zipSync({ 'inner.zip': makeZip(), '.hidden': note }), { collection });
    expect(await client().jobEnd({ job_id })).toMatchObject({ status: 'ready', total: 1, skipped_count: 1 });
  });

  it('is cancelled with its documents, and done when it is tried again', async () => {
    const collection = await newCollection();
    open().models.hold();
    const files = Array.from({ length: 30 }, (_, n) => [`${n}.txt`, strToU8(`Number ${n}.`)]);
    const { job_id } = await send(zipSync(Object.fromEntries(files)), { collection });
    await waitFor('a document to be embedded', async () =>
      (await childrenOf(job_id)).some(({ stage }) => stage === 'embed'),
    );
    expect((await client().call(`/jobs/${job_id}/cancel`)).status).toBe(200);
    open().models.release();
    expect((await childrenOf(job_id)).every(({ status }) => status === 'cancelled')).toBe(true);
    expect((await client().call(`/jobs/${job_id}/retry`)).status).toBe(202);
    await client().jobWhen('ready again', job_id, ({ status }) => status === 'ready');
    const ready = [...(await documentsOf(collection)).values()].filter((one) => one.current_version);
    expect(ready).toHaveLength(30);
  });
});

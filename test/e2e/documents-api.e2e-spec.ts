import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { AcceptedView, ChunkView, JobView } from '../support/ragstone-client.js';
import { describeOnEachStore } from '../support/stores.js';
import { waitFor } from '../support/wait-for.js';

interface DocumentView {
  document_id: string;
  external_id: string;
  metadata: Record<string, unknown>;
  current_version: number | null;
  latest_version: number | null;
  latest_status: string;
}

describeOnEachStore('documents', { INDEX_CONCURRENCY: '1' }, (open) => {
  const client = () => open().api.client;

  async function newCollection(settings: Record<string, unknown> = {}): Promise<string> {
    const name = `c-${randomUUID()}`;
    expect((await client().post('/collections', { name, ...settings })).status).toBe(201);
    return name;
  }

  async function submit(text: string, fields: Record<string, unknown>): Promise<AcceptedView> {
    const { status, body } = await client().post<AcceptedView>('/index', { text, ...fields });
    expect(status).toBe(202);
    return body;
  }

  async function found(question: string, collection: string, filters = {}): Promise<string[]> {
    const body = { question, collection, filters, top_k: 20, mode: 'lexical' }; // no model: it may be held
    const reply = await client().post<{ sources: { document_id: string }[] }>('/search', body);
    expect(reply.status).toBe(200);
    return reply.body.sources.map(({ document_id }) => document_id);
  }

  const get = async (id: string) => (await client().get<DocumentView>(`/documents/${id}`)).body;
  const chunksOf = async (id: string) =>
    (await client().get<{ chunks: ChunkView[] }>(`/documents/${id}/chunks?limit=200`)).body.chunks;
  const sentences = (count: number) =>
    Array.from({ length: count }, (_, n) => `Sentence number ${n} is about subject ${n} of the report.`).join(
      ' ',
    );

  const byFilter = encodeURIComponent(JSON.stringify({ kind: 'tariff' }));
  const deletions: [how: string, path: (id: string, collection: string) => string, status: number][] = [
    ['by id', (id) => `/documents/${id}`, 204],
    ['by a filter', (_id, collection) => `/documents?collection=${collection}&filter=${byFilter}`, 200],
  ];

  it.each(deletions)(
    'that are deleted %s while they are indexed again never come back',
    async (_how, pathOf, status) => {
      const collection = await newCollection();
      const fields = { collection, external_id: 'tariff', metadata: { kind: 'tariff' } };
      const first = await client().indexText('A day ticket costs four crowns.', fields);
      const other = await client().indexText('A boat costs nine crowns.', {
        collection,
        metadata: { kind: 'x' },
      });
      open().models.hold();
      const second = await submit('A day ticket costs five crowns.', fields);
      await client().jobWhen('embedded', second.job_id, ({ stage }) => stage === 'embed');
      expect(await client().delete(pathOf(first.document_id, collection))).toBe(status);
      expect(await found('What does a day ticket cost?', collection)).toEqual([other.document_id]);
      open().models.release();
      expect((await client().get(`/documents/${first.document_id}`)).status).toBe(404);
      expect((await client().get(`/jobs/${second.job_id}`)).status).toBe(404);
      // The one worker has done something else since: it is through with the deleted one.
      const last = await client().indexText('A bicycle costs two crowns.', { collection });
      expect((await found('cost crowns', collection)).toSorted()).toEqual(
        [other.document_id, last.document_id].toSorted(),
      );
      const again = await client().indexText('A day ticket costs five crowns.', fields);
      expect(again).toMatchObject({ version: 1 });
      expect(again.document_id).not.toBe(first.document_id);
    },
  );

  it('are deleted by a filter in any number, and none but those', async () => {
    const collection = await newCollection();
    const documents = Array.from({ length: 230 }, (_, n) => ({
      text: `Entry ${n}.`,
      external_id: String(n),
      metadata: { even: n % 2 === 0, n },
    }));
    // Waiting ones go, too: nothing needs to be indexed for this.
    open().models.hold();
    const { body } = await client().post<{ job_id: string }>('/index/batch', { collection, documents });
    const remove = (filter: unknown, query = `collection=${collection}`) =>
      fetch(`${client().url}/documents?${query}&filter=${encodeURIComponent(JSON.stringify(filter))}`, {
        method: 'DELETE',
      });
    expect(await (await remove({ n: { $gte: 10 } })).json()).toEqual({ deleted_count: 220 });
    expect(await (await remove({ even: true })).json()).toEqual({ deleted_count: 5 });
    const list = await client().get<{ documents: DocumentView[] }>(`/documents?collection=${collection}`);
    expect(list.body.documents.map(({ external_id }) => external_id).toSorted()).toEqual([
      '1',
      '3',
      '5',
      '7',
      '9',
    ]);
    for (const filter of [{}, { n: { $near: 1 } }, [], 'x', { text: 'a\0b' }]) {
      expect((await remove(filter)).status, JSON.stringify(filter)).toBe(422);
    }
    const noFilter = await fetch(`${client().url}/documents?collection=${collection}`, { method: 'DELETE' });
    expect(noFilter.status).toBe(422);
    expect((await remove({ n: 1 }, 'collection=nowhere')).status).toBe(404);
    open().models.release();
    expect(await client().jobEnd(body)).toMatchObject({ resolved_count: 5, skipped_count: 225, total: 230 });
  });

  it('have metadata that a merge patch changes, for filters at once and over new versions', async () => {
    const collection = await newCollection();
    const text = '# Manual\n\nThe manual of the pump.';
    const fields = {
      collection,
      external_id: 'manual',
      metadata: { author: 'Grace', place: { room: 1, floor: 2 } },
    };
    const { document_id } = await client().indexText(text, fields);
    const patch = { metadata: { author: null, place: { floor: 3, room: null }, tags: ['oil'] } };
    const patched = await client().patch<DocumentView>(`/documents/${document_id}`, patch);
    const expected = { place: { floor: 3 }, tags: ['oil'] };
    expect(patched).toMatchObject({ status: 200 });
    expect(patched.body.metadata).toEqual(expected);
    expect(await found('pump', collection, { tags: { $contains: 'oil' } })).toEqual([document_id]);
    expect(await found('pump', collection, { author: 'Grace' })).toEqual([]);
    const next = await client().indexText(text.replace('pump', 'new pump'), {
      collection,
      external_id: 'manual',
    });
    expect(next.version).toBe(2);
    expect((await get(document_id)).metadata).toEqual(expected);
    expect((await client().patch(`/documents/${document_id}`, { metadata: {} })).status).toBe(200);
    expect((await get(document_id)).metadata).toEqual(expected);
  });

  it('are patched while they are indexed, and the patch is not lost', async () => {
    const collection = await newCollection();
    open().models.hold();
    const accepted = await submit('The manual of the crane.', { collection, metadata: { a: 1, b: 1 } });
    await client().jobWhen('embedded', accepted.job_id, ({ stage }) => stage === 'embed');
    await client().patch(`/documents/${accepted.document_id}`, { metadata: { b: 2, c: 2 } });
    open().models.release();
    await client().jobEnd(accepted);
    expect((await get(accepted.document_id)).metadata).toEqual({ a: 1, b: 2, c: 2 });
  });

  it('show what their front matter says where the caller gives nothing, also after patches and new versions', async () => {
    const collection = await newCollection();
    const fields = { collection, external_id: 'manual' };
    const page = (year: number) => `---\nteam: pilots\nyear: ${year}\n---\n# Manual\n\nOf ${year}.`;
    const { document_id } = await client().indexText(page(2024), { ...fields, metadata: { team: 'given' } });
    expect((await get(document_id)).metadata).toEqual({ team: 'given', year: 2024 });
    const patch = async (metadata: object) =>
      (await client().patch<DocumentView>(`/documents/${document_id}`, { metadata })).body.metadata;
    expect(await patch({ team: null })).toEqual({ team: 'pilots', year: 2024 });
    expect(await patch({ year: 2030, room: 7 })).toEqual({ team: 'pilots', year: 2030, room: 7 });
    expect(await found('Manual', collection, { year: 2030, team: 'pilots' })).toEqual([document_id]);
    await client().indexText(page(2025), fields);
    expect((await get(document_id)).metadata).toEqual({ team: 'pilots', year: 2030, room: 7 });
    expect(await patch({ year: null })).toEqual({ team: 'pilots', year: 2025, room: 7 });
    await client().indexText(page(2026), { ...fields, metadata: { room: 8 } });
    expect((await get(document_id)).metadata).toEqual({ team: 'pilots', year: 2026, room: 8 });
    expect(await found('Manual', collection, { year: 2025 })).toEqual([]);
  });

  it('refuse metadata that can not be stored', async () => {
    const { document_id } = await client().indexText(`A document ${randomUUID()}.`);
    const path = `/documents/${document_id}`;
    for (const metadata of [
      { a: 'b\0' },
      { a: '\ud800' },
      { 'k\0': 1 },
      { a: 'x'.repeat(20_000) },
      [],
      'x',
      null,
    ]) {
      const { status, body } = await client().patch(path, { metadata });
      expect({ status, code: body.code }, JSON.stringify(metadata).slice(0, 50)).toEqual({
        status: 422,
        code: 'invalid_request',
      });
    }
    expect((await client().patch(path, { title: 'x' })).status).toBe(422);
    // Nor do many small patches add up to more than one may have.
    for (let part = 0; part < 2; part += 1) {
      const { status } = await client().patch(path, { metadata: { [`part${part}`]: 'x'.repeat(9_000) } });
      expect(status).toBe(part === 0 ? 200 : 422);
    }
    expect(Object.keys((await get(document_id)).metadata)).toEqual(['part0']);
    expect((await client().patch(`/documents/${randomUUID()}`, { metadata: {} })).status).toBe(404);
  });

  it('are cut anew in the background when the collection changes, while the old chunks answer', async () => {
    const collection = await newCollection({ chunk_tokens_max: 400 });
    const one = await client().indexText(sentences(60), { collection, metadata: { kept: true } });
    const two = await client().indexText('A short one.', { collection });
    const before = await chunksOf(one.document_id);
    open().models.hold();
    const path = `/collections/${collection}`;
    const changed = await client().patch<{ job_id: string }>(path, { chunk_tokens_max: 60 });
    expect(changed).toMatchObject({ status: 202, body: { status: 'queued' } });
    const { job_id } = changed.body;
    await waitFor('a document to be embedded', async () => {
      const { body } = await client().get<{ jobs: JobView[] }>(`/jobs?parent=${job_id}`);
      return body.jobs.some(({ stage }) => stage === 'embed');
    });
    expect(await chunksOf(one.document_id)).toEqual(before);
    expect((await found('subject 7', collection)).includes(one.document_id)).toBe(true);
    expect(await client().patch(path, { chunk_tokens_max: 70 })).toMatchObject({
      status: 409,
      body: { code: 'job_conflict', detail: expect.stringContaining(job_id) },
    });
    open().models.release();
    expect(await client().jobEnd({ job_id })).toMatchObject({
      kind: 'rechunk',
      status: 'ready',
      resolved_count: 2,
      total: 2,
      details: { before: { chunkTokensMax: 400 }, after: { chunkTokensMax: 60 } },
    });
    const after = await chunksOf(one.document_id);
    expect(after.length).toBeGreaterThan(before.length);
    expect(Math.max(...after.map(({ token_count }) => token_count))).toBeLessThanOrEqual(60);
    expect(await get(one.document_id)).toMatchObject({ current_version: 2, metadata: { kept: true } });
    expect(await get(two.document_id)).toMatchObject({ current_version: 2 });
    expect((await client().patch(path, { chunk_tokens_max: 60 })).body).toMatchObject({
      status: 'unchanged',
      job_id: null,
    });
    expect((await client().patch(path, { chunk_tokens_max: 60, overlap_tokens: 50 })).status).toBe(422);
    expect((await client().patch('/collections/nowhere', { chunk_tokens_max: 60 })).status).toBe(404);
  });

  it('that were being indexed when the collection changed are cut as it says now', async () => {
    const collection = await newCollection({ chunk_tokens_max: 400 });
    open().models.hold();
    const accepted = await submit(sentences(60), { collection });
    await client().jobWhen('embedded', accepted.job_id, ({ stage }) => stage === 'embed');
    const { body } = await client().patch<{ job_id: string }>(`/collections/${collection}`, {
      chunk_tokens_max: 60,
    });
    await client().jobEnd(body);
    open().models.release();
    expect((await client().jobEnd(accepted)).status).toBe('ready');
    const chunks = await chunksOf(accepted.document_id);
    expect(Math.max(...chunks.map(({ token_count }) => token_count))).toBeLessThanOrEqual(60);
  });
});

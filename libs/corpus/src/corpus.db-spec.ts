import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  type Fixture,
  fixture,
  indexed,
  lexical,
  store,
  submit,
} from '../../../test/support/corpus-fixture.js';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { IndexJobRepository, JobLeaseRepository } from './index.js';

async function sourceOf({ versions }: Fixture, versionId: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of versions.readSource(versionId)) parts.push(part);
  return Buffer.concat(parts);
}

describeOnEachEngine('the corpus', (open) => {
  it('stores a version whole and gives its chunks, text and counts back', async () => {
    const setup = await fixture(open());
    const { documentId } = await indexed(setup, 'a', ['First chunk.', 'Second chunk.']);
    expect(await setup.documents.getText(documentId)).toEqual({
      version: 1,
      text: 'First chunk.\nSecond chunk.',
    });
    expect(await setup.documents.get(documentId)).toMatchObject({
      title: 'Title',
      currentVersion: 1,
      chunkCount: 2,
      tokenCount: 6,
    });
    const chunks = await setup.chunks.listOfDocument(documentId, { limit: 10, firstOrdinal: 0 });
    expect(chunks).toMatchObject([
      { ordinal: 0, text: 'First chunk.', start: 0, end: 12, headingPath: ['A "quoted", heading'] },
      { ordinal: 1, text: 'Second chunk.', start: 13, end: 26 },
    ]);
  });

  it('keeps the bytes of a source of several megabytes until a newer version is ready', async () => {
    const setup = await fixture(open());
    const content = 'x'.repeat(2_500_000);
    const version = await submit(setup, 'big', content);
    expect((await sourceOf(setup, version.versionId)).toString()).toBe(content);
    await indexed(setup, 'big', ['new']);
    expect(await sourceOf(setup, version.versionId)).toHaveLength(content.length);
  });

  it('takes the same content once, and new content as the next version of the same document', async () => {
    const setup = await fixture(open());
    const first = await indexed(setup, 'doc', ['one']);
    expect(await submit(setup, 'doc', 'one')).toEqual({ ...first, status: 'unchanged' });
    const second = await submit(setup, 'doc', 'two');
    expect(second).toMatchObject({ documentId: first.documentId, version: 2, status: 'queued' });
    expect((await setup.documents.get(first.documentId)).currentVersion).toBe(1);
    await store(setup, second, ['two']);
    expect((await lexical(setup, 'one')).length).toBe(0);
    expect((await lexical(setup, 'two')).length).toBe(1);
  });

  it('makes one document of many submits at the same time', async () => {
    const setup = await fixture(open());
    const results = await Promise.all(Array.from({ length: 5 }, () => submit(setup, 'same', 'content')));
    expect(new Set(results.map(({ documentId }) => documentId)).size).toBe(1);
    expect(results.filter(({ status }) => status === 'queued')).toHaveLength(1);
  });

  it('stores nothing of an older version that is ready later than a newer one', async () => {
    const setup = await fixture(open());
    const old = await submit(setup, 'doc', 'old');
    const young = await submit(setup, 'doc', 'young');
    expect(await store(setup, young, ['young'])).toBe(true);
    expect(await store(setup, old, ['old'])).toBe(false);
    expect(await setup.documents.getText(old.documentId)).toMatchObject({ version: 2, text: 'young' });
    expect(await lexical(setup, 'old')).toEqual([]);
  });

  it('finds nearest chunks, closest first, of its own collection only', async () => {
    const setup = await fixture(open());
    const other = await fixture(open());
    const vectors = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0.9, 0.1, 0, 0],
    ].map((vector) => Float32Array.from(vector));
    await indexed(setup, 'a', ['north', 'east', 'almost north'], vectors);
    await indexed(other, 'b', ['north too'], [Float32Array.from([1, 0, 0, 0])]);
    const found = await setup.chunks.findNearest({
      scope: { collectionId: setup.collection.id },
      space: setup.space,
      embedding: vectors[0]!,
      limit: 2,
      method: 'hnsw',
    });
    const texts = await setup.chunks.load(found.map(({ id }) => id));
    expect(found.map(({ id }) => texts.find((chunk) => chunk.id === id)!.text)).toEqual([
      'north',
      'almost north',
    ]);
    expect(found[0]!.distance).toBeCloseTo(0, 3);
    expect(found[1]!.distance).toBeGreaterThan(0);
  });

  it('returns as many neighbours as asked for from a collection that has one chunk in a hundred', async () => {
    const large = await fixture(open());
    const small = await fixture(open());
    const random = (index: number) =>
      Float32Array.from([Math.sin(index), Math.cos(index * 1.7), Math.sin(index * 3.1), 0.3]);
    for (let document = 0; document < 5; document += 1) {
      const texts = Array.from({ length: 200 }, (_, index) => `chunk ${document} ${index}`);
      await indexed(
        large,
        `d${document}`,
        texts,
        texts.map((_, index) => random(document * 200 + index)),
      );
    }
    await indexed(
      small,
      'd',
      Array.from({ length: 10 }, (_, n) => `small ${n}`),
      Array.from({ length: 10 }, (_, n) => random(n + 0.5)),
    );
    const found = await small.chunks.findNearest({
      scope: { collectionId: small.collection.id },
      space: small.space,
      embedding: random(3),
      limit: 10,
      method: 'hnsw',
    });
    expect(found).toHaveLength(10);
  });

  it('ranks by BM25: rare words count, stemming applies, no shared word is no result', async () => {
    const setup = await fixture(open());
    await indexed(setup, 'a', [
      'The pumps were oiled by the pumping crew.',
      'A pump is blue.',
      'The zebra and the pump.',
    ]);
    const found = await lexical(setup, 'zebra pump');
    const texts = await setup.chunks.load(found.map(({ id }) => id));
    expect(texts.find(({ id }) => id === found[0]!.id)!.text).toContain('zebra');
    expect(found).toHaveLength(3);
    expect(found[0]!.score).toBeGreaterThan(found[1]!.score);
    expect(await lexical(setup, 'giraffe')).toEqual([]);
    expect(await lexical(setup, '???')).toEqual([]);
  });

  it('finds Chinese, Japanese and Thai by the words inside a sentence', async () => {
    const setup = await fixture(open());
    await indexed(setup, 'zh', [
      '数据库连接池的大小应当根据核心数决定。',
      '今天的天气非常好。',
      '東京の天気は晴れです。',
      'วันนี้อากาศดีมาก',
    ]);
    for (const [question, answer] of [
      ['连接池多大？', '数据库连接池'],
      ['東京の天気', '東京'],
      ['อากาศ', 'วันนี้'],
    ] as const) {
      const [best] = await lexical(setup, question);
      expect((await setup.chunks.load([best!.id]))[0]!.text, question).toContain(answer);
    }
  });

  it('takes operators of the query language for words', async () => {
    const setup = await fixture(open());
    await indexed(setup, 'a', [`It's a "quoted" text: with (brackets) & more.`]);
    for (const text of [
      `chunks_bm25_english:quoted`,
      `'quoted'::bm25query`,
      `quoted & | ! <-> :*`,
      `"quoted`,
      `'; drop table chunks; --quoted`,
    ]) {
      expect(await lexical(setup, text), text).toHaveLength(1);
    }
  });

  it('uses the language of the collection', async () => {
    const setup = await fixture(open(), 'german');
    await indexed(setup, 'a', ['Die Häuser stehen am Fluss.']);
    expect(await lexical(setup, 'Haus')).toHaveLength(1);
    await expect(fixture(open(), 'klingon')).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('removes everything that was derived from a deleted document, and says when there is none', async () => {
    const setup = await fixture(open());
    const { documentId } = await indexed(setup, 'a', ['gone soon']);
    const before = (await setup.collections.get(setup.collection.name)).epoch;
    await setup.documents.delete(documentId);
    expect(await lexical(setup, 'gone')).toEqual([]);
    const rows = await open().query<{ n: string }>({
      text: `
        select count(*) as n from chunk_embeddings where collection_id = $1::uuid
        union all select count(*) from document_versions where document_id = $2::uuid
        union all select count(*) from chunks where document_id = $2::uuid`,
      values: [setup.collection.id, documentId],
    });
    expect(rows.map(({ n }) => n)).toEqual(['0', '0', '0']);
    expect((await setup.collections.get(setup.collection.name)).epoch).toBe(before + 1);
    await expect(setup.documents.delete(documentId)).rejects.toMatchObject({ code: 'document_not_found' });
  });

  it('advances the epoch with every committed change and only then', async () => {
    const setup = await fixture(open());
    const epoch = async () => (await setup.collections.get(setup.collection.name)).epoch;
    const version = await submit(setup, 'a', 'x');
    expect(await epoch()).toBe(0);
    await store(setup, version, ['x']);
    expect(await epoch()).toBe(1);
  });

  it('lists documents page by page, newest first', async () => {
    const setup = await fixture(open());
    for (const name of ['one', 'two', 'three']) await submit(setup, name, name);
    const page = await setup.documents.list({ collection: setup.collection.name, limit: 2 });
    expect(page.map(({ externalId }) => externalId)).toEqual(['three', 'two']);
    const rest = await setup.documents.list({
      collection: setup.collection.name,
      limit: 2,
      before: page.at(-1)!.id,
    });
    expect(rest.map(({ externalId }) => externalId)).toEqual(['one']);
  });

  it('takes a job through its states', async () => {
    const setup = await fixture(open());
    const jobs = new IndexJobRepository(open());
    const { documentId, versionId } = await submit(setup, 'a', 'x');
    const id = await open().transaction((tx) =>
      jobs.create(tx, { collectionId: setup.collection.id, documentId, versionId }),
    );
    expect(await jobs.get(id)).toMatchObject({ status: 'queued', stage: null, attempts: 0 });
    const leases = new JobLeaseRepository(open());
    const lost = (await leases.start(id, 1))!;
    const lease = (await leases.start(id, 1))!; // taken over
    expect(await leases.progress(lost, { stage: 'parse', done: 1, total: 1 })).toBe(false);
    expect(await leases.progress(lease, { stage: 'embed', done: 3, total: 9 })).toBe(true);
    expect([lost.isTakeover, lease.isTakeover]).toEqual([false, true]);
    expect(await leases.listEnded([lost, lease])).toEqual([{ jobId: id, fence: lost.fence }]);
    expect(await jobs.get(id)).toMatchObject({
      status: 'running',
      stage: 'embed',
      done: 3,
      total: 9,
      attempts: 1,
    });
    const error = { code: 'model_unavailable', message: 'm', stage: 'embed' as const, retryable: true };
    await leases.requeue(lost, error);
    await leases.fail(lost, error);
    expect(await open().transaction((tx) => leases.finish(tx, lost, { status: 'ready' }))).toBe(false);
    expect((await jobs.get(id)).status).toBe('running');
    await leases.requeue(lease, error);
    expect(await jobs.get(id)).toMatchObject({ status: 'queued', error, stage: null });
    const { revision } = await jobs.get(id);
    await leases.fail((await leases.start(id, 2))!, error);
    expect(await jobs.get(id)).toMatchObject({ status: 'failed', error, finishedAt: expect.any(Date) });
    expect((await jobs.get(id)).revision).toBeGreaterThan(revision);
    expect(await leases.start(id, 3)).toBeNull();
    expect((await setup.documents.get(documentId)).latestStatus).toBe('failed');
    await expect(jobs.get(randomUUID())).rejects.toMatchObject({ code: 'job_not_found' });
  });

  it('drops old jobs that have ended and that nothing asks for any more', async () => {
    const setup = await fixture(open());
    const jobs = new IndexJobRepository(open());
    const leases = new JobLeaseRepository(open());
    const collectionId = setup.collection.id;
    const ended = async (
      { documentId, versionId }: { documentId: string; versionId: string | null },
      parentJobId: string | null = null,
    ) => {
      const id = await open().transaction((tx) =>
        jobs.create(tx, { collectionId, documentId, versionId, parentJobId }),
      );
      await leases.finish(open(), (await leases.start(id, 1))!, { status: 'ready' });
      return id;
    };
    const newParent = () =>
      open().transaction((tx) => jobs.createParent(tx, { collectionId, kind: 'batch', details: {} }));
    const accept = (jobId: string) =>
      open().transaction((tx) => jobs.acceptedAll(tx, { jobId, fence: '0' }, { skipped: 0, details: {} }));
    const [old, kept, empty] = [await newParent(), await newParent(), await newParent()];
    const first = await indexed(setup, 'page', ['Old.']);
    const firstJob = await ended(first, old);
    const second = await indexed(setup, 'page', ['New.']);
    const secondJob = await ended(second, kept);
    const { documentId } = second;
    const refreshes = [
      await ended({ documentId, versionId: null }),
      await ended({ documentId, versionId: null }),
    ];
    const failed = await submit(setup, 'other', 'x');
    const failedJob = await open().transaction((tx) => jobs.create(tx, { collectionId, ...failed }));
    await leases.fail((await leases.start(failedJob, 1))!, {
      code: 'document_empty',
      message: 'm',
      stage: 'parse',
      retryable: false,
    });
    const waiting = await submit(setup, 'waiting', 'x');
    const openJob = await open().transaction((tx) => jobs.create(tx, { collectionId, ...waiting }));
    for (const parent of [old, kept, empty]) await accept(parent);
    await open().query({
      text: `update index_jobs set finished_at = finished_at - interval '10 days' where collection_id = $1::uuid`,
      values: [collectionId],
    });

    expect(await jobs.dropEnded(11, 100)).toBe(0);
    expect(await jobs.dropEnded(9, 2)).toBe(2);
    while ((await jobs.dropEnded(9, 100)) > 0); // a parent goes after the last of its documents
    const left = await jobs.list({ collection: setup.collection.name, limit: 100 });
    expect(left.map(({ id }) => id).toSorted()).toEqual(
      [kept, secondJob, refreshes[1]!, failedJob, openJob].toSorted(),
    );
    expect(left.some(({ id }) => id === firstJob)).toBe(false);
    expect(await jobs.findLatestOfVersion(open(), second.versionId)).toBe(secondJob);
  });

  it('keeps two embedding spaces apart, each with vectors of its own length', async () => {
    const { spaces } = await fixture(open());
    const first = await spaces.findOrCreate({ provider: 'test', model: 'eight', dimensions: 8 });
    const again = await spaces.findOrCreate({ provider: 'test', model: 'eight', dimensions: 8 });
    const other = await spaces.findOrCreate({ provider: 'test', model: 'eight', dimensions: 16 });
    expect(again).toEqual(first);
    expect(other.number).not.toBe(first.number);
  });
});

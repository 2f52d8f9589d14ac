import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { DIMENSIONS, fixture, indexed, store, submit } from '../../../test/support/corpus-fixture.js';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { IndexJobRepository, ReembeddingRepository } from './index.js';

describeOnEachEngine('a change of the embedding model', (open) => {
  it('refuses a document that was embedded for a model that the collection has left', async () => {
    const setup = await fixture(open());
    const version = await submit(setup, 'late', 'text');
    const next = await setup.spaces.findOrCreate({ provider: 'test', model: 'next', dimensions: DIMENSIONS });
    const reembeddings = new ReembeddingRepository(open());
    expect(await reembeddings.switchSpace(setup.collection.id, next)).toBe(0);
    await expect(store(setup, version, ['text'])).rejects.toMatchObject({
      code: 'embedding_space_changed',
      retryable: true,
    });
    expect(await setup.documents.get(version.documentId)).toMatchObject({ currentVersion: null });
  });

  it('switches to a new space only when each chunk has a vector there, and skips chunks that are gone', async () => {
    const setup = await fixture(open());
    const { documentId } = await indexed(setup, 'a', ['one', 'two', 'three']);
    await indexed(setup, 'b', ['four']);
    const next = await setup.spaces.findOrCreate({ provider: 'test', model: 'next', dimensions: DIMENSIONS });
    const reembeddings = new ReembeddingRepository(open());
    const missing = await reembeddings.listMissing(setup.collection.id, next, {
      afterChunkId: null,
      limit: 9,
    });
    expect(missing).toHaveLength(4);
    expect(missing[0]).toMatchObject({ title: 'Title', headingPath: ['A "quoted", heading'] });
    expect(await reembeddings.switchSpace(setup.collection.id, next)).toBe(4);
    await setup.documents.delete(documentId);
    const vectors = missing.map(() => Float32Array.from([0, 1, 0, 0]));
    await reembeddings.storeVectors(setup.collection.id, next, missing, vectors);
    await reembeddings.storeVectors(setup.collection.id, next, missing, vectors);
    expect(await reembeddings.countProgress(setup.collection.id, next)).toEqual({ done: 1, total: 1 });
    expect(await reembeddings.switchSpace(setup.collection.id, next)).toBe(0);
    expect(await setup.collections.getById(setup.collection.id)).toMatchObject({ embeddingSpaceId: next.id });
  });

  it('drops the vectors of a space that was left: of the collection, and the space with its last one', async () => {
    const identity = { provider: 'test', model: `own-${randomUUID()}`, dimensions: DIMENSIONS };
    const [one, two] = [await fixture(open()), await fixture(open())];
    const old = await one.spaces.findOrCreate(identity);
    const reembeddings = new ReembeddingRepository(open());
    for (const { collection } of [one, two]) await reembeddings.switchSpace(collection.id, old);
    expect(await reembeddings.dropVectors(one.collection.id, old)).toBe('kept');
    await reembeddings.switchSpace(one.collection.id, one.space);
    // On its way back: the vectors are needed again.
    const jobs = new IndexJobRepository(open());
    const back = await open().transaction((tx) =>
      jobs.createForCollection(tx, {
        collectionId: one.collection.id,
        kind: 'reembed',
        details: { to_space: old.id },
      }),
    );
    expect(await reembeddings.dropVectors(one.collection.id, old)).toBe('kept');
    await jobs.cancel(back);
    expect(await reembeddings.dropVectors(one.collection.id, old)).toBe('deleted');
    await reembeddings.switchSpace(two.collection.id, two.space);
    expect(await reembeddings.dropVectors(two.collection.id, old)).toBe('space_dropped');
    expect(await reembeddings.dropVectors(two.collection.id, old)).toBe('kept'); // a second time
    expect(await one.spaces.find(identity)).toBeNull();
    const tables = await open().query({
      text: 'select 1 from pg_class where relname = $1::text',
      values: [`chunk_embeddings_${old.number}`],
    });
    expect(tables).toEqual([]);
  });
});

import { expect, it } from 'vitest';
import { fixture, indexed, submit } from '../../../test/support/corpus-fixture.js';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { IndexJobRepository, JobLeaseRepository, StagingRepository } from './index.js';

const chunks = ['One.', 'Two.'].map((text, ordinal) => ({
  ordinal,
  text,
  headingPath: [],
  page: null,
  start: ordinal * 5,
  end: ordinal * 5 + 4,
  tokenCount: 2,
  embeddingSha256: Buffer.from(text),
  lexicalText: text,
  group: null,
}));
const vectors = [Float32Array.from([1, 0, 0, 0]), Float32Array.from([0, 1, 0, 0])];
const summary = { title: 'Title', language: 'english', metadata: {}, pageCount: null, chunkCount: 2 };

describeOnEachEngine('staging', (open) => {
  async function stagedVersion(externalId: string) {
    const setup = await fixture(open());
    const { collection, versions, space } = setup;
    const submitted = await submit(setup, externalId, 'One. Two.');
    const jobs = new IndexJobRepository(open());
    const leases = new JobLeaseRepository(open());
    const jobId = await open().transaction((tx) =>
      jobs.create(tx, { collectionId: collection.id, ...submitted }),
    );
    const lost = (await leases.start(jobId, 1))!;
    const held = (await leases.start(jobId, 2))!;
    const target = { ...(await versions.find(submitted.versionId))!, space };
    return { ...setup, submitted, leases, lost, held, target, staging: new StagingRepository(open()) };
  }

  async function stagedRows(versionId: string) {
    const rows = await open().query<{ ordinal: number; body: string; embedding: string | null }>({
      text: 'select ordinal, body, embedding::text from staged_chunks where version_id = $1::uuid order by ordinal',
      values: [versionId],
    });
    const texts = await open().query<{ body: string }>({
      text: 'select body from document_texts where version_id = $1::uuid order by part',
      values: [versionId],
    });
    return { rows, texts };
  }

  it('takes nothing from a worker that has lost its job to another one', async () => {
    const { staging, lost, held, target } = await stagedVersion('fenced');
    const { versionId } = target;
    await staging.stageText(held, versionId, { part: 0, start: 0, text: 'One. Two.' });
    expect(await staging.stageChunks(held, target, chunks)).toEqual([0, 1]);
    await staging.stageEmbeddings(held, versionId, [0, 1], vectors);
    const before = await stagedRows(versionId);
    expect(before.rows.map(({ embedding }) => embedding)).toEqual(['[1,0,0,0]', '[0,1,0,0]']);

    await staging.stageText(lost, versionId, { part: 0, start: 0, text: 'old' });
    expect(await staging.stageChunks(lost, target, [{ ...chunks[0]!, text: 'old' }])).toBeNull();
    await staging.stageEmbeddings(lost, versionId, [0, 1], vectors.toReversed());
    await staging.trim(lost, versionId, { chunks: 1, textParts: 0 });
    expect(await stagedRows(versionId)).toEqual(before);
  });

  it('does not make a version current of which a staged chunk is missing', async () => {
    const { staging, held, target, versions, documents } = await stagedVersion('short');
    await staging.stageChunks(held, target, chunks.slice(0, 1));
    await staging.stageEmbeddings(held, target.versionId, [0], vectors.slice(0, 1));
    const commit = open().transaction((tx) => versions.makeCurrent(tx, target, summary, 'staged'));
    await expect(commit).rejects.toMatchObject({ code: 'internal_error', retryable: true });
    expect(await documents.get(target.documentId)).toMatchObject({ currentVersion: null });
  });

  it('keeps nothing of a version that was overtaken, nor of one that failed before', async () => {
    const { staging, held, target, versions, ...setup } = await stagedVersion('overtaken');
    await staging.stageText(held, target.versionId, { part: 0, start: 0, text: 'One. Two.' });
    await staging.stageChunks(held, target, chunks);
    await indexed({ ...setup, versions }, 'overtaken', ['A newer text.']);
    expect(await open().transaction((tx) => versions.makeCurrent(tx, target, summary, 'staged'))).toBe(false);
    expect(await stagedRows(target.versionId)).toEqual({ rows: [], texts: [] });

    const failed = await submit({ ...setup, versions }, 'overtaken', 'A version that fails.');
    const jobs = new IndexJobRepository(open());
    const { collection, leases } = setup;
    const jobId = await open().transaction((tx) =>
      jobs.create(tx, { collectionId: collection.id, ...failed }),
    );
    const lease = (await leases.start(jobId, 1))!;
    const failing = { ...(await versions.find(failed.versionId))!, space: setup.space };
    await staging.stageText(lease, failed.versionId, { part: 0, start: 0, text: 'A version that fails.' });
    await staging.stageChunks(lease, failing, chunks);
    await open().query({
      text: `update document_versions set status = 'failed' where id = $1::uuid`,
      values: [failed.versionId],
    });
    const last = await indexed({ ...setup, versions }, 'overtaken', ['The newest text.']);
    const sources = await open().query<{ version_id: string }>({
      text: `
        select s.version_id from document_sources s join document_versions v on v.id = s.version_id
        where v.document_id = $1::uuid`,
      values: [target.documentId],
    });
    expect(sources).toEqual([{ version_id: last.versionId }]);
    expect(await stagedRows(failed.versionId)).toEqual({ rows: [], texts: [] });
  });

  it('keeps no chunks of a job that was given up', async () => {
    const { staging, held, target } = await stagedVersion('given up');
    await staging.stageChunks(held, target, chunks);
    const error = { code: 'internal_error', message: 'Interrupted.', stage: null, retryable: true } as const;
    await new IndexJobRepository(open()).giveUp(held.jobId, held.fence, error);
    expect(await stagedRows(target.versionId)).toEqual({ rows: [], texts: [] });
  });
});

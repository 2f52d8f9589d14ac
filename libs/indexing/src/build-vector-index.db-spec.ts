import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ChunkRepository,
  CollectionRepository,
  EmbeddingSpaceRepository,
  IndexJobRepository,
  JobLeaseRepository,
  VectorIndexRepository,
  VersionRepository,
} from '#libs/corpus';
import { type Database, migrate, openDatabase } from '#libs/database';
import { PgBossJobQueue } from '#libs/jobs';
import { serverOptions } from '../../../test/support/engines.js';
import { createTestDatabase, serverMissing, stack, type TestDatabase } from '../../../test/support/stack.js';
import { waitFor } from '../../../test/support/wait-for.js';
import { LeasedJobs } from './leased-jobs.js';
import { LeaseWatch } from './lease-watch.js';
import { BuildVectorIndexHandler } from './build-vector-index.handler.js';

const VECTORS_MIN = 20;

describe('the vector index of a bulk load', () => {
  let server: TestDatabase;
  let database: Database;
  let queue: PgBossJobQueue;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`);
    database = await openDatabase(serverOptions(server));
    await migrate(database);
    queue = new PgBossJobQueue(database);
    await queue.start();
  });

  afterAll(async () => {
    await queue?.stop();
    await database?.close();
    await server?.drop();
  });

  async function setUp() {
    const repositories = {
      jobs: new IndexJobRepository(database),
      leases: new JobLeaseRepository(database),
      collections: new CollectionRepository(database, 'bm25'),
      spaces: new EmbeddingSpaceRepository(database),
      chunks: new ChunkRepository(database, 'bm25'),
      vectorIndexes: new VectorIndexRepository(database),
    };
    const versions = new VersionRepository(database, 'bm25');
    const { jobs, leases } = repositories;
    const runs = new LeasedJobs(jobs, leases, new LeaseWatch(leases));
    const options = { memoryMb: 64, workers: 1 };
    const handler = new BuildVectorIndexHandler(database, repositories, runs, queue, options, VECTORS_MIN);
    const model = `m-${randomUUID()}`;
    const { id: spaceId } = await repositories.spaces.findOrCreate({
      provider: 'test',
      model,
      dimensions: 3,
    });
    const { collection } = await repositories.collections.findOrCreate({
      name: `c-${randomUUID()}`,
      language: 'english',
      chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
      embeddingSpaceId: spaceId,
    });
    const submit = async () => {
      const content = randomUUID();
      const version = {
        collectionId: collection.id,
        externalId: content,
        title: 't',
        filename: null,
        mediaType: 'text/plain',
        metadata: {},
        contentSha256: createHash('sha256').update(content).digest(),
      };
      return database.transaction(async (tx) => {
        const submitted = await versions.submit(tx, version, Buffer.from(content));
        const jobId = await repositories.jobs.create(tx, { collectionId: collection.id, ...submitted });
        return { ...version, ...submitted, jobId };
      });
    };
    const finish = async (submitted: Awaited<ReturnType<typeof submit>>, chunks: number) => {
      const space = await repositories.spaces.get(spaceId);
      const drafts = Array.from({ length: chunks }, (_, ordinal) => ({
        ordinal,
        text: 'text',
        headingPath: [],
        page: null,
        start: 0,
        end: 4,
        tokenCount: 1,
        embeddingSha256: Buffer.alloc(32),
        lexicalText: 'text',
        group: null,
      }));
      const embeddings = drafts.map(({ ordinal }) => Float32Array.from([1, ordinal, 0]));
      const lease = (await leases.start(submitted.jobId, 1))!;
      await database.transaction(async (tx) => {
        const summary = {
          title: 't',
          language: 'english',
          metadata: {},
          pageCount: null,
          chunkCount: chunks,
        };
        const target = { ...submitted, hasCurrent: false, byteCount: 1, space };
        await versions.makeCurrent(tx, target, summary, { text: 'text', chunks: drafts, embeddings });
        await leases.finish(tx, lease, { status: 'ready', done: chunks });
      });
    };
    const openBuilds = async () =>
      database.query<{ id: string }>({
        text: `select id from index_jobs where kind = 'build_index' and collection_id = $1::uuid`,
        values: [collection.id],
      });
    return { ...repositories, collection, spaceId, handler, submit, finish, openBuilds };
  }

  it('is asked for once, when there are enough vectors', async () => {
    const { handler, spaces, spaceId, collection, submit, finish, openBuilds } = await setUp();
    const space = await spaces.get(spaceId);
    await finish(await submit(), VECTORS_MIN - 1);
    await handler.requestIfDue(collection.id, space);
    expect(await openBuilds()).toHaveLength(0);
    await finish(await submit(), 1);
    await Promise.all([
      handler.requestIfDue(collection.id, space),
      handler.requestIfDue(collection.id, space),
    ]);
    expect(await openBuilds()).toHaveLength(1);
  });

  it('is built when the last document of the load is in, and says meanwhile that it waits', async () => {
    const { handler, jobs, spaces, spaceId, collection, submit, finish, openBuilds } = await setUp();
    await finish(await submit(), VECTORS_MIN);
    const last = await submit();
    await handler.requestIfDue(collection.id, await spaces.get(spaceId));
    const [job] = await openBuilds();
    const context = { attempt: 1, isLastAttempt: false, signal: new AbortController().signal };
    const handled = handler.handle({ jobId: job!.id }, context);
    await waitFor('the job to wait', async () => (await jobs.get(job!.id)).stage === 'wait');
    expect(await spaces.get(spaceId)).toMatchObject({ isIndexed: false });
    await finish(last, 1);
    expect(await handled).toEqual({ outcome: 'done' });
    expect(await jobs.get(job!.id)).toMatchObject({ kind: 'build_index', status: 'ready', stage: 'build' });
    expect(await spaces.get(spaceId)).toMatchObject({ isIndexed: true });
  });

  it('can be cancelled while it waits', async () => {
    const { handler, jobs, spaces, spaceId, collection, submit, finish, openBuilds } = await setUp();
    await finish(await submit(), VECTORS_MIN);
    await submit();
    await handler.requestIfDue(collection.id, await spaces.get(spaceId));
    const [job] = await openBuilds();
    const context = { attempt: 1, isLastAttempt: false, signal: new AbortController().signal };
    const handled = handler.handle({ jobId: job!.id }, context);
    await waitFor('the job to wait', async () => (await jobs.get(job!.id)).stage === 'wait');
    await jobs.cancel(job!.id);
    expect(await handled).toMatchObject({ outcome: 'skipped' });
    expect(await spaces.get(spaceId)).toMatchObject({ isIndexed: false });
  });

  it('takes the place of an index whose build was interrupted', async () => {
    const { spaces, spaceId, vectorIndexes, submit, finish } = await setUp();
    await finish(await submit(), 5);
    const space = await spaces.get(spaceId);
    const name = `chunk_embeddings_${space.number}_hnsw`;
    await database.maintain(async (session) => {
      await session.query({ text: `create index ${name} on chunk_embeddings_${space.number} (chunk_id)` });
    });
    // What a concurrent build leaves behind when it is killed.
    stack(
      'psql',
      '-q',
      '-d',
      new URL(server.directUrl).pathname.slice(1),
      '-c',
      `update pg_index set indisvalid = false where indexrelid = '${name}'::regclass`,
    );
    expect(await vectorIndexes.build(space, { memoryMb: 64, workers: 0 }, () => undefined)).toBe(true);
    const [index] = await database.query({
      text: `select indexdef from pg_indexes where indexname = $1::text`,
      values: [name],
    });
    expect(index).toMatchObject({ indexdef: expect.stringContaining('USING hnsw') });
  });
});

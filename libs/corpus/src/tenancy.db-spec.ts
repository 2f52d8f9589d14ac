import { createHash, randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { ApiKeyRepository, IdempotentResponseRepository } from '#libs/access';
import { ConversationRepository } from '#libs/conversations';
import { type Database, runAsTenant } from '#libs/database';
import { ModelCallRepository, noUsage } from '#libs/model-routing';
import { QueryLogRepository, WorkerHeartbeatRepository } from '#libs/observability';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { loggedQuery } from '../../../test/support/logged-query.js';
import {
  ChunkRepository,
  CollectionRepository,
  DocumentRepository,
  DocumentUrlRepository,
  IdempotencyRepository,
  JobLeaseRepository,
  StagingRepository,
  EmbeddingSpaceRepository,
  IndexJobRepository,
  type LexicalEngine,
  ReembeddingRepository,
  TenantRepository,
  VectorIndexRepository,
  VersionRepository,
} from './index.js';

const SECRET = 'zanzibar';
const DIMENSIONS = 4;
const vector = Float32Array.from([1, 0, 0, 0]);

function repositories(database: Database, engine: LexicalEngine = 'bm25') {
  return {
    apiKeys: new ApiKeyRepository(database),
    chunks: new ChunkRepository(database, engine),
    collections: new CollectionRepository(database, engine),
    conversations: new ConversationRepository(database),
    documents: new DocumentRepository(database),
    idempotency: new IdempotencyRepository(database),
    idempotentResponses: new IdempotentResponseRepository(database),
    leases: new JobLeaseRepository(database),
    staging: new StagingRepository(database),
    urls: new DocumentUrlRepository(database),
    spaces: new EmbeddingSpaceRepository(database),
    jobs: new IndexJobRepository(database),
    modelCalls: new ModelCallRepository(database),
    queryLog: new QueryLogRepository(database),
    reembeddings: new ReembeddingRepository(database),
    vectorIndexes: new VectorIndexRepository(database),
    workers: new WorkerHeartbeatRepository(database),
    versions: new VersionRepository(database, engine),
  };
}

type Repositories = ReturnType<typeof repositories>;
type Victim = Awaited<ReturnType<typeof fill>>;

/** A tenant with a bit of everything, each text with a word that nobody else has. */
async function fill(database: Database, all: Repositories) {
  const space = await all.spaces.findOrCreate({ provider: 'test', model: SECRET, dimensions: DIMENSIONS });
  const target = await all.spaces.findOrCreate({ provider: 'test', model: 'next', dimensions: DIMENSIONS });
  const { collection } = await all.collections.findOrCreate({
    name: `${SECRET}-collection`,
    language: 'english',
    chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
    embeddingSpaceId: space.id,
  });
  const submitted = await database.transaction((tx) =>
    all.versions.submit(tx, newVersion(collection.id), Buffer.from(SECRET)),
  );
  const version = (await all.versions.find(submitted.versionId))!;
  const jobId = await database.transaction((tx) =>
    all.jobs.create(tx, { collectionId: collection.id, ...submitted }),
  );
  await database.transaction((tx) =>
    all.versions.makeCurrent(tx, { ...version, space }, summary(), content()),
  );
  const reembedId = await database.transaction((tx) =>
    all.jobs.createForCollection(tx, {
      collectionId: collection.id,
      kind: 'reembed',
      details: { to_space: target.id, word: SECRET },
    }),
  );
  const lease = (await all.leases.start(reembedId, 1))!;
  const jobLease = (await all.leases.start(jobId, 1))!;
  const parentId = await database.transaction(async (tx) => {
    const id = await all.jobs.createParent(tx, { collectionId: collection.id, kind: 'batch', details: {} });
    await all.jobs.storeSource(tx, id, Buffer.from(SECRET));
    await all.urls.save(tx, submitted.documentId, { url: `https://${SECRET}.example/`, refreshSeconds: 60 });
    await all.idempotency.once(tx, SECRET, SECRET, () => Promise.resolve({ word: SECRET }));
    return id;
  });
  await all.staging.stageChunks(jobLease, { ...version, space }, content().chunks);
  const [chunk] = await all.chunks.listOfDocument(submitted.documentId, { limit: 1, firstOrdinal: 0 });
  const key = await all.apiKeys.create(newKey(), { publicId: publicId(), secretSha256: Buffer.from(SECRET) });
  const request = { caller: SECRET, key: SECRET, sha256: Buffer.from(SECRET), claimMs: 60_000 };
  const claim = (await all.idempotentResponses.claim(request)) as { id: string };
  await all.idempotentResponses.claim({ ...request, key: `${SECRET} 2` });
  await all.idempotentResponses.save(claim.id, { status: 200, contentType: null, body: SECRET });
  const call = modelCall();
  await all.modelCalls.settle([call]);
  const reservation = { ...call, callId: randomUUID(), microUsd: 5, expiresInMs: -1_000 };
  await all.modelCalls.reserve(reservation);
  const requestId = randomUUID();
  const conversation = await all.conversations.create({ userId: null, title: SECRET });
  await all.conversations.append(conversation.id, [{ role: 'user', content: SECRET, requestId }]);
  await all.queryLog.insert([loggedQuery({ requestId, question: SECRET, model: SECRET })]);
  await all.queryLog.saveFeedback(requestId, 'up', SECRET);
  const worker = { id: randomUUID(), host: SECRET, pid: 1 };
  await all.workers.beat(worker);
  return {
    worker,
    requestId,
    conversation,
    space,
    target,
    collection,
    submitted,
    version,
    jobId,
    reembedId,
    parentId,
    lease,
    jobLease,
    chunkId: chunk!.id,
    key,
    claim,
    request,
    call,
    reservation,
  };
}

function newKey() {
  return { name: SECRET, scopes: ['query' as const], userId: SECRET, expiresAt: null };
}

/** Unique over all tenants. */
function publicId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 12);
}

function modelCall() {
  const resetsAt = new Date();
  return {
    id: randomUUID(),
    requestId: SECRET,
    keyId: SECRET,
    purpose: 'answer',
    kind: 'chat' as const,
    model: SECRET,
    provider: 'test',
    providerModel: SECRET,
    attempt: 1,
    outcome: 'ok' as const,
    failureKind: null,
    isStreamed: false,
    isHedge: false,
    usage: noUsage,
    isEstimated: false,
    costMicroUsd: 7,
    latencyMs: 1,
    firstTokenMs: null,
    budgets: [{ name: `key:${SECRET}/day`, periodStart: '2026-01-01', microUsdMax: 100, resetsAt }],
  };
}

function newVersion(collectionId: string) {
  return {
    collectionId,
    externalId: `${SECRET}-id`,
    title: SECRET,
    filename: null,
    mediaType: 'text/plain',
    metadata: { word: SECRET },
    contentSha256: createHash('sha256').update(SECRET).digest(),
  };
}

function summary() {
  return { title: SECRET, language: 'english', metadata: { word: SECRET }, pageCount: null, chunkCount: 1 };
}

function content() {
  const text = `The ${SECRET} is far away.`;
  return {
    text,
    embeddings: [vector],
    chunks: [
      {
        ordinal: 0,
        text,
        headingPath: [],
        page: null,
        start: 0,
        end: text.length,
        tokenCount: 5,
        embeddingSha256: createHash('sha256').update(text).digest(),
        lexicalText: text,
        group: null,
      },
    ],
  };
}

/** Every method of every repository, with the victim's ids, run by somebody else. */
const attempts: {
  [Name in keyof Repositories]: Record<
    string,
    (all: Repositories, victim: Victim, database: Database) => Promise<unknown>
  >;
} = {
  apiKeys: {
    find: async ({ apiKeys }, v) =>
      // The one look past row-level security: with the whole public id, before the tenant is known.
      expectSame((await apiKeys.find(v.key.secrets[0]!.publicId))?.keyId, v.key.id),
    markUsed: ({ apiKeys }, v) => apiKeys.markUsed(v.key.secrets[0]!.publicId),
    create: async ({ apiKeys }) => {
      await apiKeys.create(
        { ...newKey(), name: 'mine', userId: null },
        { publicId: publicId(), secretSha256: Buffer.from('mine') },
      );
    },
    rotate: ({ apiKeys }, v) =>
      apiKeys.rotate(v.key.id, { publicId: publicId(), secretSha256: Buffer.from('mine') }, 0),
    revoke: ({ apiKeys }, v) => apiKeys.revoke(v.key.id),
    list: ({ apiKeys }) => apiKeys.list(),
    get: ({ apiKeys }, v) => apiKeys.get(v.key.id),
  },
  chunks: {
    findNearest: async ({ chunks }, v) => [
      await chunks.findNearest({ ...nearest(v), method: 'exact' }),
      await chunks.findNearest({ ...nearest(v), method: 'hnsw' }),
    ],
    searchMany: ({ chunks }, v) =>
      chunks.searchMany({ collectionId: v.collection.id, space: v.space, embeddings: [vector], limit: 9 }),
    countInScope: async ({ chunks }, v) =>
      expectSame(await chunks.countInScope({ collectionId: v.collection.id }, v.space, 9), 0),
    countInSpace: async ({ chunks }, v) => expectSame(await chunks.countInSpace(v.space, 9), 0),
    measureDistances: ({ chunks }, v) =>
      chunks.measureDistances({ space: v.space, embedding: vector, chunkIds: [v.chunkId] }),
    findLexical: ({ chunks }, v) =>
      chunks.findLexical({
        scope: { collectionId: v.collection.id },
        language: 'english',
        text: SECRET,
        limit: 9,
      }),
    scoreWords: async ({ chunks }) =>
      expectSame(await chunks.scoreWords({ language: 'english', words: [SECRET] }), [null]),
    load: ({ chunks }, v) => chunks.load([v.chunkId]),
    loadContext: ({ chunks }, v) =>
      chunks.loadContext([{ chunkId: v.chunkId, group: null, first: 0, last: 9 }]),
    listOfDocument: ({ chunks }, v) =>
      chunks.listOfDocument(v.submitted.documentId, { limit: 9, firstOrdinal: 0 }),
  },
  collections: {
    get: ({ collections }, v) => collections.get(v.collection.name),
    setChunking: ({ collections }, v, database) =>
      database.transaction((tx) => collections.setChunking(tx, v.collection.id, v.collection.chunking)),
    assertChunking: ({ collections }, v, database) =>
      database.transaction((tx) =>
        collections.assertChunking(tx, v.collection.id, v.collection.chunking).then(
          () => expect.unreachable(),
          () => undefined,
        ),
      ),
    ensureLanguage: ({ collections }, v) => collections.ensureLanguage(v.collection.id, 'simple'),
    getWithSpace: ({ collections }, v) => collections.getWithSpace(v.collection.name),
    getByIdWithSpace: ({ collections }, v) => collections.getByIdWithSpace(v.collection.id),
    getByNameOrId: ({ collections }, v) => collections.getByNameOrId(v.collection.id),
    getById: ({ collections }, v) => collections.getById(v.collection.id),
    list: ({ collections }) => collections.list(),
    findOrCreate: ({ collections }, v) =>
      collections.findOrCreate({
        name: 'mine',
        language: 'english',
        chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
        embeddingSpaceId: v.space.id,
      }),
  },
  conversations: {
    create: async ({ conversations }) => {
      await conversations.create({ userId: null, title: 'mine' });
    },
    get: ({ conversations }, v) => conversations.get(v.conversation.id, null),
    list: ({ conversations }) => conversations.list({ userId: null, limit: 9, before: null }),
    listMessages: ({ conversations }, v) =>
      conversations.listMessages(v.conversation.id, { from: 0, limit: 9 }),
    append: ({ conversations }, v) =>
      conversations.append(v.conversation.id, [{ role: 'user', content: 'mine', requestId: 'mine' }]),
    setSummary: ({ conversations }, v) => conversations.setSummary(v.conversation.id, 'mine', 9),
    delete: ({ conversations }, v) => conversations.delete(v.conversation.id, null),
  },
  documents: {
    list: async ({ documents }, v) => [
      await documents.list({ limit: 9 }),
      await documents.list({ limit: 9, collection: v.collection.name }),
    ],
    get: ({ documents }, v) => documents.get(v.submitted.documentId),
    getText: ({ documents }, v) => documents.getText(v.submitted.documentId),
    listIds: ({ documents }, v) =>
      documents.listIds({
        collectionId: v.collection.id,
        after: null,
        limit: 9,
        withoutJobBelow: v.parentId,
      }),
    listExternalIds: ({ documents }, v) =>
      documents.listExternalIds({ collectionId: v.collection.id, prefix: '', after: null, limit: 9 }),
    deleteMatching: async ({ documents }, v) =>
      expectSame(await documents.deleteMatching(v.collection.id, { word: SECRET }), 0),
    deleteByExternalId: async ({ documents }, v) =>
      expectSame(await documents.deleteByExternalId(v.collection.id, `${SECRET}-id`), false),
    patchMetadata: ({ documents }, v) => documents.patchMetadata(v.submitted.documentId, { mine: 1 }),
    delete: ({ documents }, v) => documents.delete(v.submitted.documentId),
  },
  spaces: {
    get: ({ spaces }, v) => spaces.get(v.space.id),
    find: ({ spaces }, v) => spaces.find(v.space),
    findById: ({ spaces }, v) => spaces.findById(v.space.id),
    listInUse: ({ spaces }) => spaces.listInUse(),
    findOrCreate: async ({ spaces }, v) =>
      expectSame((await spaces.findOrCreate(v.target)).id === v.target.id, false),
    create: () => Promise.resolve(), // what findOrCreate calls
  },
  jobs: {
    create: ({ jobs }, v, database) =>
      database.transaction((tx) => jobs.create(tx, { collectionId: v.collection.id, ...v.submitted })),
    createForCollection: ({ jobs }, v, database) =>
      database.transaction((tx) =>
        jobs.createForCollection(tx, { collectionId: v.collection.id, kind: 'build_index', details: {} }),
      ),
    get: ({ jobs }, v) => jobs.get(v.jobId),
    find: ({ jobs }, v) => jobs.find(v.jobId),
    list: ({ jobs }) => jobs.list({ limit: 9 }),
    listByIds: ({ jobs }, v) => jobs.listByIds([v.jobId]),
    createParent: ({ jobs }, v, database) =>
      database.transaction((tx) =>
        jobs.createParent(tx, { collectionId: v.collection.id, kind: 'batch', details: {} }),
      ),
    acceptedAll: ({ jobs }, v, database) =>
      database.transaction((tx) =>
        jobs.acceptedAll(tx, { jobId: v.parentId, fence: '0' }, { skipped: 1, details: {} }),
      ),
    storeSource: ({ jobs }, v, database) =>
      database.transaction((tx) => jobs.storeSource(tx, v.parentId, Buffer.from('mine'))),
    readSource: async ({ jobs }, v) => expectSame((await jobs.readSource(v.parentId)).length, 0),
    nextTurn: ({ jobs }, v, database) => database.transaction((tx) => jobs.nextTurn(tx, v.collection.id, 0)),
    listRetryable: ({ jobs }) => jobs.listRetryable({}, 9),
    reopen: async ({ jobs }, v, database) =>
      expectSame(await database.transaction((tx) => jobs.reopen(tx, v.jobId, 1)), false),
    reopenParent: async ({ jobs }, v, database) =>
      expectSame(await database.transaction((tx) => jobs.reopenParent(tx, v.parentId)), false),
    giveUp: ({ jobs }, v) =>
      jobs.giveUp(v.jobId, v.jobLease.fence, { code: 'x', message: 'x', stage: null, retryable: false }),
    listOpen: ({ jobs }) => jobs.listOpen({ after: null, limit: 9 }),
    dropEnded: ({ jobs }) => jobs.dropEnded(0, 9),
    findLatestOfVersion: ({ jobs }, v, database) => jobs.findLatestOfVersion(database, v.version.versionId),
    cancel: ({ jobs }, v) => jobs.cancel(v.reembedId),
    cancelWhere: () => Promise.resolve(), // what cancel calls
    resumeParent: ({ jobs }, v) => jobs.resumeParent(v.parentId),
    hasOpenDocuments: async ({ jobs }, v) => expectSame(await jobs.hasOpenDocuments(v.space.id), false),
  },
  leases: {
    start: async ({ leases }, v) => expectSame(await leases.start(v.reembedId, 7), null),
    progress: async ({ leases }, v) =>
      expectSame(await leases.progress(v.lease, { stage: 'fill', done: 7, total: 7 }), false),
    listEnded: async ({ leases }, v) => expectSame((await leases.listEnded([v.lease])).length, 1),
    isHeld: async ({ leases }, v, database) =>
      expectSame(await database.transaction((tx) => leases.isHeld(tx, v.lease)), false),
    addDetails: ({ leases }, v) => leases.addDetails(v.lease, { mine: 1 }),
    setVersion: async ({ leases }, v, database) =>
      expectSame(
        await database.transaction((tx) => leases.setVersion(tx, v.jobLease, v.version.versionId)),
        false,
      ),
    finish: async ({ leases }, v, database) =>
      expectSame(await leases.finish(database, v.lease, { status: 'ready' }), false),
    lock: async ({ leases }, v, database) =>
      expectSame(await database.transaction((tx) => leases.lock(tx, v.lease)), false),
    fail: ({ leases }, v) => leases.fail(v.lease, { code: 'x', message: 'x', stage: null, retryable: false }),
    requeue: ({ leases }, v) => leases.requeue(v.lease, null),
  },
  staging: {
    stageChunks: async ({ staging }, v) =>
      expectSame(
        await staging.stageChunks(v.jobLease, { ...v.version, space: v.space }, content().chunks),
        null,
      ),
    stageEmbeddings: ({ staging }, v) =>
      staging.stageEmbeddings(v.jobLease, v.version.versionId, [0], [vector]),
    stageText: ({ staging }, v) =>
      staging.stageText(v.jobLease, v.version.versionId, { part: 0, start: 0, text: 'mine' }),
    trim: ({ staging }, v) => staging.trim(v.jobLease, v.version.versionId, { chunks: 0, textParts: 0 }),
    dropAbandoned: ({ staging }) => staging.dropAbandoned(),
  },
  urls: {
    save: ({ urls }, v, database) =>
      database.transaction((tx) =>
        urls.save(tx, v.submitted.documentId, { url: 'https://mine.example/', refreshSeconds: null }),
      ),
    find: ({ urls }, v) => urls.find(v.submitted.documentId),
    fetched: ({ urls }, v, database) =>
      urls.fetched(database, v.submitted.documentId, { finalUrl: 'mine', etag: 'mine', lastModified: null }),
    takeDue: ({ urls }, _, database) => database.transaction((tx) => urls.takeDue(tx, 9)),
    joinQueuedFetch: async ({ urls }, v, database) =>
      expectSame(
        await database.transaction((tx) => urls.joinQueuedFetch(tx, v.submitted.documentId, { mine: 1 })),
        null,
      ),
    findOpenFetch: ({ urls }, v, database) =>
      database.transaction((tx) => urls.findOpenFetch(tx, v.submitted.documentId)),
  },
  idempotency: {
    once: ({ idempotency }, _, database) =>
      database.transaction((tx) => idempotency.once(tx, SECRET, SECRET, () => Promise.resolve({ mine: 1 }))),
    dropExpired: ({ idempotency }) => idempotency.dropExpired(),
  },
  idempotentResponses: {
    claim: async ({ idempotentResponses }, v) =>
      expectSame('id' in (await idempotentResponses.claim(v.request)), true),
    save: async ({ idempotentResponses }, v) =>
      expectSame(
        await idempotentResponses.save(v.claim.id, { status: 200, contentType: null, body: 'mine' }),
        false,
      ),
    release: ({ idempotentResponses }, v) => idempotentResponses.release(v.claim.id),
    dropExpired: ({ idempotentResponses }) => idempotentResponses.dropExpired(),
  },
  modelCalls: {
    reserve: ({ modelCalls }, v) =>
      modelCalls.reserve({ ...v.reservation, callId: randomUUID(), expiresInMs: 60_000 }),
    release: ({ modelCalls }, v) => modelCalls.release(v.reservation.callId),
    settle: ({ modelCalls }, v) => modelCalls.settle([{ ...v.call, costMicroUsd: 1 }]),
    bookLost: async ({ modelCalls }) => expectSame(await modelCalls.bookLost(), 0),
    readBudgets: async ({ modelCalls }) =>
      expectSame(
        (await modelCalls.readBudgets()).filter(({ spentMicroUsd }) => spentMicroUsd > 1),
        [],
      ),
    summarize: ({ modelCalls }) => modelCalls.summarize(['model', 'key'], new Date(0), new Date(4e12)),
    tryReserve: () => Promise.resolve(), // what reserve calls
    open: () => Promise.resolve(),
  },
  queryLog: {
    insert: ({ queryLog }, v) => queryLog.insert([loggedQuery({ requestId: v.requestId, question: 'mine' })]),
    summarize: async ({ queryLog }) => ({ ...(await queryLog.summarize(new Date(0))) }),
    list: ({ queryLog }) => queryLog.list({ since: new Date(0), limit: 9 }),
    saveFeedback: async ({ queryLog }) =>
      expectSame(await queryLog.saveFeedback(randomUUID(), 'down', 'mine'), null),
  },
  reembeddings: {
    listMissing: ({ reembeddings }, v) =>
      reembeddings.listMissing(v.collection.id, v.target, { afterChunkId: null, limit: 9 }),
    sample: ({ reembeddings }, v) => reembeddings.sample(v.collection.id, 9),
    countProgress: async ({ reembeddings }, v) =>
      expectSame(await reembeddings.countProgress(v.collection.id, v.space), { done: 0, total: 0 }),
    storeVectors: ({ reembeddings }, v) =>
      reembeddings.storeVectors(
        v.collection.id,
        v.target,
        [{ chunkId: v.chunkId, documentId: v.submitted.documentId, title: '', headingPath: [], text: '' }],
        [vector],
      ),
    switchSpace: ({ reembeddings }, v) => reembeddings.switchSpace(v.collection.id, v.target),
    dropVectors: ({ reembeddings }, v) => reembeddings.dropVectors(v.collection.id, v.space),
    dropSpace: () => Promise.resolve(), // what dropVectors calls
  },
  vectorIndexes: {
    build: async ({ vectorIndexes }, v) =>
      expectSame(await vectorIndexes.build(v.target, { memoryMb: 64, workers: 0 }, () => undefined), false),
    create: () => Promise.resolve(), // what build calls
    watch: () => Promise.resolve(),
  },
  workers: {
    beat: ({ workers }, v) => workers.beat({ ...v.worker, host: 'mine' }),
    leave: ({ workers }, v) => workers.leave(v.worker.id),
    countSeen: async ({ workers }, v) => {
      await workers.leave(v.worker.id); // of the attempt before
      expectSame(await workers.countSeen(3_600), 0);
    },
  },
  versions: {
    submit: ({ versions }, v, database) =>
      database.transaction((tx) => versions.submit(tx, newVersion(v.collection.id), Buffer.from('mine'))),
    find: ({ versions }, v) => versions.find(v.version.versionId),
    readSource: async ({ versions }, v) =>
      expectSame((await versions.readSource(v.version.versionId).next()).done, true),
    ensureDocument: ({ versions }, v, database) =>
      database.transaction((tx) => versions.ensureDocument(tx, newVersion(v.collection.id))),
    lockDocuments: ({ versions }, v, database) =>
      database.transaction((tx) =>
        versions.lockDocuments(tx, v.collection.id, [newVersion(v.collection.id).externalId]),
      ),
    describe: ({ versions }, v, database) =>
      database.transaction((tx) => versions.describe(tx, v.submitted.documentId)),
    findDuplicate: ({ versions }, v, database) =>
      database.transaction((tx) =>
        versions.findDuplicate(tx, { ...newVersion(v.collection.id), externalId: 'other' }),
      ),
    submitAgain: ({ versions }, v, database) =>
      database.transaction((tx) => versions.submitAgain(tx, v.submitted.documentId)),
    makeCurrent: ({ versions }, v, database) =>
      database.transaction((tx) =>
        versions.makeCurrent(tx, { ...v.version, version: 99, space: v.space }, summary(), content()),
      ),
    setMetadata: () => Promise.resolve(), // what submit and makeCurrent call
    store: () => Promise.resolve(),
  },
};

const internal: Record<string, string[]> = {
  apiKeys: ['read', 'addSecret'],
  chunks: [
    'findNearestExactly',
    'findNearestByIndex',
    'findByBm25',
    'findByTsRank',
    'scoreByBm25',
    'scoreByFrequency',
  ],
  collections: ['assertLanguage', 'prepareLanguage'],
  idempotency: ['answerBefore'],
  idempotentResponses: ['readClaimed'],
};

function expectSame(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

function nearest({ collection, space }: Victim) {
  return { scope: { collectionId: collection.id }, space, embedding: vector, limit: 9 };
}

const tables = `
  select c.relname as name, c.relrowsecurity as secured,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as has_tenant
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  order by 1`;

interface Table {
  name: string;
  secured: boolean;
  has_tenant: boolean;
}

/** All rows of a tenant, as one hash. */
async function fingerprint(database: Database): Promise<string> {
  const rows: string[] = [];
  for (const { name, secured } of await database.query<Table>({ text: tables })) {
    if (!secured) continue;
    const [row] = await database.query<{ hash: string | null }>({
      text: `select md5(string_agg(t::text, '|' order by t::text)) as hash from ${name} t`,
    });
    if (row!.hash) rows.push(`${name} ${row!.hash}`);
  }
  return rows.join('\n');
}

describeOnEachEngine('row-level security', (open) => {
  it('is on every table, and every table has a tenant_id', async () => {
    const found = await open().query<Table>({ text: tables });
    expect(found.length).toBeGreaterThan(9);
    for (const { name, secured, has_tenant } of found) {
      if (name === 'schema_migrations' || name === 'tenants') continue; // nobody's, and everybody's names
      expect({ name, secured, has_tenant }).toEqual({ name, secured: true, has_tenant: true });
    }
  });

  it('binds the role that statements run as: it owns nothing and may not bypass', async () => {
    const [role] = await open().query({
      text: `
        select rolsuper or rolbypassrls as above,
          exists (select from pg_class where relowner = r.oid and relnamespace = 'public'::regnamespace) as owns
        from pg_roles r where rolname = current_user`,
    });
    expect(role).toEqual({ above: false, owns: false });
    await expect(
      open().query({ text: 'alter table chunks disable row level security' }),
    ).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('shows nothing to a connection without a tenant', async () => {
    await runAsTenant(randomUUID(), () => fill(open(), repositories(open())));
    const [row] = await open().transaction(async (tx) => {
      await tx.query({ text: `select set_config('ragstone.tenant_id', '', true)` });
      return tx.query<{ count: string }>({ text: 'select count(*) from documents' });
    });
    expect(row!.count).toBe('0');
  });

  it('keeps every method of every repository away from the rows of another tenant', async () => {
    const database = open();
    const all = repositories(database);
    const [mine, theirs] = [randomUUID(), randomUUID()];
    const victim = await runAsTenant(theirs, () => fill(database, all));
    const before = await runAsTenant(theirs, () => fingerprint(database));
    const secrets = [
      SECRET,
      victim.chunkId,
      victim.submitted.documentId,
      victim.collection.id,
      victim.reembedId,
      victim.key.id,
      victim.conversation.id,
    ];
    for (const [name, repository] of Object.entries(all)) {
      for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(repository))) {
        if (method === 'constructor' || internal[name]?.includes(method)) continue;
        const attempt = attempts[name as keyof Repositories][method];
        expect(attempt, `an attempt on ${name}.${method} in this test`).toBeDefined();
        const result = await runAsTenant(mine, async () => {
          try {
            return (await attempt!(all, victim, database)) ?? null;
          } catch (error) {
            if ((error as Error).name === 'AssertionError') throw error;
            return null; // refused
          }
        });
        const shown = JSON.stringify(result);
        for (const secret of secrets) expect(shown, `${name}.${method}`).not.toContain(secret);
        const after = await runAsTenant(theirs, () => fingerprint(database));
        expect(after, `${name}.${method}`).toBe(before);
      }
    }
  });

  it('gives each tenant its own vectors, collections and names', async () => {
    const all = repositories(open());
    const [a, b] = [randomUUID(), randomUUID()];
    const [ofA, ofB] = [
      await runAsTenant(a, () => fill(open(), all)),
      await runAsTenant(b, () => fill(open(), all)),
    ];
    expect(ofA.space.id).not.toBe(ofB.space.id);
    const found = await runAsTenant(a, () => all.chunks.findNearest({ ...nearest(ofA), method: 'exact' }));
    expect(found.map(({ id }) => id)).toEqual([ofA.chunkId]);
    await runAsTenant(a, () => all.documents.delete(ofA.submitted.documentId));
    expect(await runAsTenant(b, () => all.chunks.load([ofB.chunkId]))).toHaveLength(1);
  });

  it('lists tenants', async () => {
    const tenants = new TenantRepository(open());
    const id = randomUUID();
    await tenants.create({ id, name: `tenant ${id}` });
    expect(await tenants.list()).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'default' }), { id, name: `tenant ${id}` }]),
    );
  });
});

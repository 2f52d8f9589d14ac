import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { ServerProcess } from '../support/server-process.js';
import { newDatabaseName, startServerApi } from '../support/server-api.js';
import { createTestDatabase, serverMissing } from '../support/stack.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

interface CollectionView {
  name: string;
  collection_id: string;
  embedding_model: string;
  dimensions: number;
}

interface ReembedView {
  job_id: string;
  status: string;
}

interface CollectionJob {
  status: string;
  stage: string | null;
  done: number;
  total: number | null;
  details: { queries: number; recall_before: number; recall_after: number };
  error: { code: string; message: string } | null;
}

/** A store that outlives the api on it. */
interface Store {
  environment: Record<string, string>;
  start(environment: Record<string, string>): Promise<TestApi>;
  remove(): Promise<void>;
}

const stores = [
  {
    name: 'embedded',
    missing: null,
    create: async (): Promise<Store> => {
      const folder = await mkdtemp(join(tmpdir(), 'ragstone-reembed-'));
      const own = { DATA_DIR: join(folder, 'data') };
      return {
        environment: own,
        start: (environment) => startTestApi({ ...own, ...environment }),
        remove: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: 'PostgreSQL behind pgBouncer',
    missing: serverMissing,
    create: async (): Promise<Store> => {
      const server = await createTestDatabase(newDatabaseName());
      return {
        environment: { DATABASE_URL: server.url, DATABASE_DIRECT_URL: server.directUrl },
        start: (environment) => startServerApi(environment, server),
        remove: server.drop,
      };
    },
  },
];

const DOCUMENTS = 150; // three batches of 64 chunks
const words = [
  'harbour',
  'violin',
  'glacier',
  'tax form',
  'bakery',
  'zeppelin',
  'quarry',
  'junction',
  'mixer',
];

describe.each(stores)('re-embedding, $name', ({ missing, create }) => {
  let store: Store | undefined;
  let api: TestApi | undefined;
  let old: MockLlm;
  let next: MockLlm;
  let before: Record<string, string>;
  let during: Record<string, string>;

  beforeEach((context) => {
    if (missing) context.skip(missing);
  });

  beforeAll(async () => {
    if (missing) return;
    store = await create();
    old = await MockLlm.start();
    next = await MockLlm.start();
    next.dimensions = 16;
    before = { EMBEDDINGS_BASE_URL: old.url, EMBEDDINGS_MODEL: 'old', EMBEDDINGS_DIMENSIONS: '8' };
    during = {
      EMBEDDINGS_BASE_URL: next.url,
      EMBEDDINGS_MODEL: 'next',
      EMBEDDINGS_DIMENSIONS: '16',
      EMBEDDINGS_PREVIOUS_BASE_URL: old.url,
      EMBEDDINGS_PREVIOUS_MODEL: 'old',
      EMBEDDINGS_PREVIOUS_DIMENSIONS: '8',
    };
    api = await store.start(before);
    await indexDocuments();
    await api.close();
    api = undefined;
  });

  afterEach(async () => {
    await api?.close();
    api = undefined;
  });

  afterAll(async () => {
    await store?.remove();
    await old?.close();
    await next?.close();
  });

  async function indexDocuments() {
    const jobs = [];
    for (let n = 0; n < DOCUMENTS; n += 1) {
      const text = `${words[n % words.length]} number ${n}: ${randomUUID()}.`;
      jobs.push((await api!.client.post<{ job_id: string }>('/index', { text, external_id: `d${n}` })).body);
    }
    for (const job of jobs) expect((await api!.client.jobEnd(job)).status).toBe('ready');
  }

  const collection = async () => {
    const { body } = await api!.client.get<{ collections: CollectionView[] }>('/collections');
    return body.collections.find(({ name }) => name === 'default')!;
  };
  const reembed = (body: object, name = 'default') =>
    api!.client.post<ReembedView>(`/collections/${name}/reembed`, body);
  const job = async (id: string) => (await api!.client.get<CollectionJob>(`/jobs/${id}`)).body;
  const ended = (id: string) =>
    waitFor(`job ${id} to end`, async () => {
      const view = await job(id);
      return !['queued', 'running'].includes(view.status) && view;
    });
  const search = async (question: string) =>
    (await api!.client.post<{ sources: { document_id: string }[] }>('/search', { question, mode: 'vector' }))
      .body;
  const embedded = () =>
    next.requests
      .filter(({ path }) => path.endsWith('/embeddings'))
      .flatMap(({ body }) => body.input as string[]);

  /** What a start that fails says. */
  async function failedStart(environment: Record<string, string>): Promise<string> {
    const server = ServerProcess.spawn({ ...store!.environment, ...environment });
    await server.ended();
    expect(server.exitCode).not.toBe(0);
    return server.output;
  }

  it('a start with another model and nothing else says what to run', async () => {
    const { EMBEDDINGS_PREVIOUS_MODEL: _model, EMBEDDINGS_PREVIOUS_DIMENSIONS: _n, ...alone } = during;
    expect(await failedStart(alone)).toMatch(
      /old with 8 dimensions: default[\s\S]*EMBEDDINGS_PREVIOUS_MODEL[\s\S]*\/collections\/\{name\}\/reembed/,
    );
  });

  it('a start with the wrong number of dimensions says so', async () => {
    expect(await failedStart({ ...during, EMBEDDINGS_DIMENSIONS: '12' })).toContain('EMBEDDINGS_DIMENSIONS');
  });

  it('refuses a model that is not configured, a collection that is not there, and leaves the same model alone', async () => {
    api = await store!.start(during);
    expect((await reembed({ model: 'nonesuch' })).status).toBe(422);
    expect((await reembed({ model: 'next' }, 'nowhere')).status).toBe(404);
    expect((await reembed({ model: 'old' })).body).toMatchObject({ status: 'unchanged', job_id: null });
  });

  it('does not switch to a model that finds clearly less', async () => {
    api = await store!.start(during);
    next.isBlind = true;
    const { body } = await reembed({ model: 'next' });
    const view = await ended(body.job_id);
    expect(view).toMatchObject({ status: 'failed', error: { code: 'recall_dropped' } });
    expect(view.details.recall_after).toBeLessThan(view.details.recall_before);
    expect((await collection()).embedding_model).toBe('openai-compatible/old');
    next.isBlind = false;
  });

  it('can be cancelled, goes on answering, and is taken up where it stopped', async () => {
    await store!.remove();
    store = await create();
    api = await store.start(before);
    await indexDocuments();
    await api.close();
    api = await store.start(during);
    next.requests.length = 0;
    next.faults.push({}, { delayMs: 1_000 });
    const first = await reembed(
      { model: 'openai-compatible/next', grace_seconds: 0 },
      (await collection()).collection_id,
    );
    expect(first.status).toBe(202);
    await waitFor('the first batch', async () => (await job(first.body.job_id)).done >= 64);
    expect((await reembed({ model: 'next' })).body).toMatchObject({ code: 'job_conflict' });
    const listed = await api.client.get<{ jobs: { job_id: string }[] }>(
      '/jobs?kind=reembed&status=running&collection=default',
    );
    expect(listed.body.jobs.map(({ job_id }) => job_id)).toEqual([first.body.job_id]);
    expect((await search('a glacier')).sources).not.toHaveLength(0);
    expect((await api.client.post(`/jobs/${first.body.job_id}/cancel`, {})).body).toMatchObject({
      status: 'cancelled',
    });
    expect((await collection()).embedding_model).toBe('openai-compatible/old');

    await waitFor('the batch on its way to end', () => embedded().length >= 128);
    const late = await api.client.indexText('The late glacier came while vectors were filled.');
    const second = await api.client.post<ReembedView>(`/jobs/${first.body.job_id}/retry`, {});
    expect(second.status).toBe(202);
    const view = await ended(second.body.job_id);
    expect(view).toMatchObject({ status: 'ready', error: null });
    expect(view.details.queries).toBe(50);
    expect(view.details.recall_after).toBeGreaterThanOrEqual(view.details.recall_before * 0.9);
    expect(await collection()).toMatchObject({ embedding_model: 'openai-compatible/next', dimensions: 16 });
    const texts = embedded().filter((text) => text.includes(' number '));
    expect(texts.length).toBeLessThan(DOCUMENTS + 64 + 50 + 1); // a batch may be done twice, and 50 queries
    const found = await search('The late glacier came while vectors were filled.');
    expect(found.sources[0]!.document_id).toBe(late.document_id);
  });

  it('leaves nothing of the old space after the grace time: the service starts without the old model', async () => {
    const { EMBEDDINGS_BASE_URL, EMBEDDINGS_MODEL, EMBEDDINGS_DIMENSIONS } = during;
    api = await store!.start({
      EMBEDDINGS_BASE_URL: EMBEDDINGS_BASE_URL!,
      EMBEDDINGS_MODEL: EMBEDDINGS_MODEL!,
      EMBEDDINGS_DIMENSIONS: EMBEDDINGS_DIMENSIONS!,
    });
    expect((await search('a violin')).sources).not.toHaveLength(0);
    const indexed = await api.client.indexText('A new document after the switch.');
    expect((await search('A new document after the switch.')).sources[0]!.document_id).toBe(
      indexed.document_id,
    );
  });
});

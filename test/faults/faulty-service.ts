import { type Database, openDatabase } from '#libs/database';
import { serverOptions } from '../support/engines.js';
import { MockLlm } from '../mock-llm/index.js';
import type { AcceptedView, RagstoneClient } from '../support/ragstone-client.js';
import { newDatabaseName } from '../support/server-api.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { chunking, type FaultyDocument, revisionsIn, textOf } from './faulty-documents.js';
import { FaultyWorker, type JobEvent } from './worker-fleet.js';

/** The api in this process, workers as processes of their own, the stack's server through pgBouncer, a model that waits when asked to. */
export class FaultyService {
  readonly workers: FaultyWorker[] = [];

  private constructor(
    private readonly server: TestDatabase,
    readonly environment: Record<string, string>,
    readonly models: MockLlm,
    private readonly api: TestApi,
    readonly database: Database,
  ) {}

  /** @param store another server than the stack's, which the test removes itself */
  static async start(
    overrides: Record<string, string> = {},
    store?: Omit<TestDatabase, 'drop'>,
  ): Promise<FaultyService> {
    const server = store
      ? { ...store, drop: () => Promise.resolve() }
      : await createTestDatabase(newDatabaseName());
    const models = await MockLlm.start();
    const environment = {
      DATABASE_URL: server.url,
      DATABASE_DIRECT_URL: server.directUrl,
      EMBEDDINGS_BASE_URL: models.url,
      EMBEDDINGS_MODEL: 'mock',
      EMBEDDINGS_DIMENSIONS: String(models.dimensions),
      ...overrides,
    };
    const api = await startTestApi(environment);
    return new FaultyService(server, environment, models, api, await openDatabase(serverOptions(server)));
  }

  get client(): RagstoneClient {
    return this.api.client;
  }

  startWorker(environment: Record<string, string> = {}): FaultyWorker {
    const worker = FaultyWorker.start(this.workers.length, { ...this.environment, ...environment });
    this.workers.push(worker);
    return worker;
  }

  async createCollections(...names: string[]): Promise<void> {
    for (const name of names) {
      const { status } = await this.client.post('/collections', { name, ...chunking });
      if (status !== 201) throw new Error(`the collection was not made: ${status}`);
    }
  }

  async submit(collection: string, document: FaultyDocument, revision: number): Promise<AcceptedView> {
    const { status, body } = await this.client.post<AcceptedView>('/index', {
      collection,
      external_id: document.externalId,
      text: textOf(document, revision),
      metadata: { document: document.externalId },
    });
    if (status !== 202) throw new Error(`not accepted: ${JSON.stringify(body)}`);
    return body;
  }

  /** The revisions of which a search finds something. */
  async find(
    collection: string,
    { externalId, word }: FaultyDocument,
    mode: 'hybrid' | 'lexical' = 'hybrid',
  ): Promise<number[]> {
    const { status, body } = await this.client.post<{ sources: { text: string }[] }>('/search', {
      question: word,
      collection,
      top_k: 20,
      mode,
      filters: { document: externalId },
    });
    if (status !== 200) throw new Error(`not searched: ${JSON.stringify(body)}`);
    return revisionsIn(body.sources.map(({ text }) => text).join('\n'));
  }

  /** The starts of each job, by whichever worker, in the order of time. */
  startsByJob(): Map<string, JobEvent[]> {
    const starts = this.workers
      .flatMap((worker) => worker.events.filter(({ kind }) => kind === 'started'))
      .sort((a, b) => a.atMs - b.atMs);
    return Map.groupBy(starts, ({ jobId }) => jobId);
  }

  async close(): Promise<void> {
    for (const worker of this.workers) {
      worker.kill('SIGCONT');
      worker.kill();
    }
    await this.database.close();
    await this.api.close();
    await this.models.close();
    await this.server.drop();
  }
}

/** Something that waits until the test lets it go on. */
export class Gate {
  isReached = false;
  private open!: () => void;
  private readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  pass = (): Promise<void> => {
    this.isReached = true;
    return this.opened;
  };

  release(): void {
    this.open();
  }
}

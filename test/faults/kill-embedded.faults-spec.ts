import { mkdtemp, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '#libs/database';
import { MockLlm } from '../mock-llm/index.js';
import type { AcceptedView, RagstoneClient } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { waitFor } from '../support/wait-for.js';
import { chunking, type FaultyDocument, makeDocument, revisionsIn, textOf } from './faulty-documents.js';
import { History } from './history.js';
import { rounds, seededRandom } from './random.js';
import { findLeftovers, fingerprints } from './stored-corpus.js';

const KILLS = 5 * rounds;

describe('the embedded service, killed again and again on one data folder', () => {
  let folder: string;
  let models: MockLlm;
  let server: ServerProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragstone-embedded-'));
    models = await MockLlm.start();
  });

  afterAll(async () => {
    server?.child.kill('SIGKILL');
    await models.close();
    await rm(folder, { recursive: true, force: true });
  });

  function start(): Promise<RagstoneClient> {
    server = ServerProcess.spawn({
      DATA_DIR: join(folder, 'data'),
      LOG_LEVEL: 'error',
      EMBEDDINGS_BASE_URL: models.url,
      EMBEDDINGS_MODEL: 'mock',
      EMBEDDINGS_DIMENSIONS: String(models.dimensions),
    });
    return server.ready();
  }

  async function submit(
    client: RagstoneClient,
    collection: string,
    document: FaultyDocument,
    revision: number,
  ) {
    const { status } = await client.post<AcceptedView>('/index', {
      collection,
      external_id: document.externalId,
      text: textOf(document, revision),
      metadata: { document: document.externalId },
    });
    expect(status).toBe(202);
  }

  const untilIdle = (client: RagstoneClient) =>
    waitFor(
      'all jobs to end',
      async () => {
        for (const status of ['queued', 'running']) {
          const { body } = await client.get<{ jobs: unknown[] }>(`/jobs?status=${status}&limit=1`);
          if (body.jobs.length > 0) return false;
        }
        return true;
      },
      120_000,
    );

  it(
    `has every accepted document once, with the chunks of an undisturbed run, after ${KILLS} kills`,
    async () => {
      const random = seededRandom('kill-embedded');
      const documents = Array.from({ length: 10 }, (_, number) =>
        makeDocument(number, 'e', random, number % 5 === 0),
      );
      models.beforeEmbedding = () => sleep(random.integer(150));
      let client = await start();
      for (const name of ['faulty', 'golden']) await client.post('/collections', { name, ...chunking });
      const history = new History();
      const last = new Map<FaultyDocument, number>();
      for (let kill = 0; kill < KILLS; kill += 1) {
        const killed = sleep(random.integer(2_500)).then(() => server!.stop('SIGKILL'));
        for (const document of documents) {
          const revision = (last.get(document) ?? -1) + 1;
          const end = history.invoke({ kind: 'submit', document: document.externalId, revision });
          last.set(document, revision);
          try {
            await submit(client, 'faulty', document, revision);
            end('ok');
          } catch {
            end('info'); // the answer was lost: this revision, or the one before
            break;
          }
        }
        await killed;
        client = await start();
      }
      await untilIdle(client);
      const found = new Map<FaultyDocument, number>();
      for (const document of documents) {
        const end = history.invoke({ kind: 'final', document: document.externalId });
        const { body } = await client.post<{ sources: { text: string }[] }>('/search', {
          question: document.word,
          collection: 'faulty',
          top_k: 20,
          filters: { document: document.externalId },
        });
        const revisions = revisionsIn(body.sources.map(({ text }) => text).join('\n'));
        end('ok', revisions);
        if (revisions.length === 1) found.set(document, revisions[0]!);
      }
      expect(history.violations()).toEqual([]);
      for (const [document, revision] of found) await submit(client, 'golden', document, revision);
      await untilIdle(client);
      await server!.stop();

      const database = await openDatabase({ engine: 'pglite', dataFolder: join(folder, 'data') });
      try {
        expect(await fingerprints(database, 'faulty')).toEqual(await fingerprints(database, 'golden'));
        expect(Object.keys(await fingerprints(database, 'golden'))).toHaveLength(found.size);
        expect(await findLeftovers(database)).toEqual({});
      } finally {
        await database.close();
      }
    },
    120_000 + 60_000 * KILLS,
  );
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AcceptedView } from '../support/ragstone-client.js';
import { OwnStack, serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { makeDocument } from './faulty-documents.js';
import { FaultyService } from './faulty-service.js';
import { seededRandom } from './random.js';
import { findLeftovers, fingerprints, isIdle } from './stored-corpus.js';

const PORT_BASE = 25_700;

describe('an outage while documents are indexed', () => {
  let store: OwnStack | undefined;
  let service: FaultyService | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    store = await OwnStack.start(PORT_BASE);
    const { DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl } = store.urls;
    service = await FaultyService.start({ DATABASE_CONNECT_TIMEOUT_MS: '2000' }, { url, directUrl });
  });

  afterAll(async () => {
    await service?.close();
    await store?.remove();
  });

  it('of PostgreSQL (killed) and of pgBouncer (restarted), again and again: every document is there once', async () => {
    const random = seededRandom('outage');
    const { client, models, database } = service!;
    await service!.createCollections('faulty', 'golden');
    const documents = Array.from({ length: 12 }, (_, number) =>
      makeDocument(number, 'o', random, number % 3 === 0),
    );
    models.beforeEmbedding = () => sleep(100 + random.integer(200));
    const workers = [service!.startWorker(), service!.startWorker()];
    const submitted = new Map<string, number>();
    for (const [how, ...services] of [
      ['kill', 'pg'],
      ['down', 'pgbouncer'],
      ['kill', 'pg', 'pgbouncer'],
    ] as const) {
      const jobs: AcceptedView[] = [];
      for (const document of documents) {
        const revision = (submitted.get(document.externalId) ?? -1) + 1;
        jobs.push(await service!.submit('faulty', document, revision));
        submitted.set(document.externalId, revision);
      }
      await waitFor('a job that stages its chunks', async () => {
        const left = await findLeftovers(database);
        return left['staged chunks'];
      });
      await store!.run(how, ...services);
      await sleep(random.integer(1_000));
      await store!.run('up', ...services);
      for (const job of jobs) {
        const ended = await waitFor(
          'the job to end',
          async () => {
            const { status, body } = await client.get<{ status: string }>(`/jobs/${job.job_id}`);
            return status === 200 && !['queued', 'running'].includes(body.status) && body.status;
          },
          120_000,
        );
        expect(ended).toBe('ready');
      }
    }
    expect(workers.map(({ hasEnded }) => hasEnded)).toEqual([false, false]);
    for (const document of documents)
      await service!.submit('golden', document, submitted.get(document.externalId)!);
    await waitFor('the undisturbed run', () => isIdle(database), 120_000);
    expect(await fingerprints(database, 'faulty')).toEqual(await fingerprints(database, 'golden'));
    expect(await findLeftovers(database)).toEqual({});
  }, 400_000);
});

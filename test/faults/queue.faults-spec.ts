import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AcceptedView } from '../support/ragstone-client.js';
import { serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { FaultyService } from './faulty-service.js';

const QUEUED = 2_000;
const BATCH = 1_000;
/** Workers that take jobs at the same time as the one that is looked at. */
const CONCURRENCY = 2;

describe('a long queue', () => {
  let service: FaultyService | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (!serverMissing) service = await FaultyService.start({ INDEX_QUEUE_MAX: String(QUEUED + 4) });
  });

  afterAll(() => service?.close());

  async function submit(collection: string, text: string, priority: string): Promise<AcceptedView> {
    const { status, body } = await service!.client.post<AcceptedView>('/index', {
      collection,
      text,
      priority,
    });
    expect(status).toBe(202);
    return body;
  }

  /** How many jobs were started before this one, besides those that are named. */
  async function startedBefore({ job_id }: AcceptedView, others: AcceptedView[] = []): Promise<number> {
    const [row] = await service!.database.query<{ count: number }>({
      text: `
        select count(*)::integer as count from index_jobs j join index_jobs own on own.id = $1::uuid
        where j.kind = 'index_document' and j.started_at < own.started_at and j.id <> all($2::uuid[])`,
      values: [job_id, others.map((other) => other.job_id)],
    });
    return row!.count;
  }

  it(`of ${QUEUED} documents of one collection lets others through: by turns, and by priority; and has an end`, async () => {
    const { client } = service!;
    await service!.createCollections('large', 'small');
    for (let first = 0; first < QUEUED; first += BATCH) {
      const documents = Array.from({ length: BATCH }, (_, number) => ({
        text: `Document ${first + number} of many.`,
      }));
      expect((await client.post('/index/batch', { collection: 'large', documents })).status).toBe(202);
    }
    const [low, other, urgent] = [
      await submit('large', 'One that has time.', 'low'),
      await submit('small', 'One of another collection.', 'normal'),
      await submit('large', 'One that is urgent.', 'high'),
    ];

    await submit('small', 'The last one that has room.', 'low');
    const refused = await waitFor('the queue to be full', async () => {
      const reply = await client.post('/index', { text: `One too many.` });
      return reply.status !== 202 && reply;
    });
    expect(refused).toMatchObject({ status: 429, body: { code: 'queue_full' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);

    service!.startWorker({ INDEX_CONCURRENCY: String(CONCURRENCY) });
    for (const job of [urgent, other]) expect((await client.jobEnd(job)).status).toBe('ready');
    expect(await startedBefore(urgent)).toBeLessThan(CONCURRENCY);
    // Its turn is the first: beside the very first document of the large collection.
    expect(await startedBefore(other, [urgent])).toBeLessThanOrEqual(CONCURRENCY);
    const { body } = await client.get<{ status: string }>(`/jobs/${low.job_id}`);
    expect(body.status).toBe('queued');

    await waitFor(
      'room in the queue',
      async () => (await client.post('/index', { text: 'Room again.' })).status === 202,
    );
  }, 300_000);
});

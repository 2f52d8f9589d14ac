import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AcceptedView, Reply } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { FaultyService } from './faulty-service.js';
import { lockRows, untilBlocked } from './held-jobs.js';
import { isIdle } from './stored-corpus.js';

const SUBMITS = 100;

describe('accepting a document', () => {
  let service: FaultyService | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (!serverMissing) service = await FaultyService.start();
  });

  afterAll(() => service?.close());

  function send(
    url: string,
    document: Record<string, unknown>,
    key?: string,
  ): Promise<Reply<AcceptedView & { code?: string }>> {
    return fetch(`${url}/index`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
      body: JSON.stringify(document),
    }).then(async (response) => ({
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as AcceptedView & { code?: string },
    }));
  }

  async function countOf(
    externalId: string,
  ): Promise<{ documents: number; versions: number; jobs: number; queued: number }> {
    const [row] = await service!.database.query<{
      documents: number;
      versions: number;
      jobs: number;
      ids: string[];
    }>({
      text: `
        select count(distinct d.id)::integer as documents, count(distinct v.id)::integer as versions,
          count(distinct j.id)::integer as jobs, coalesce(array_agg(j.id), '{}')::text[] as ids
        from documents d left join document_versions v on v.document_id = d.id left join index_jobs j on j.document_id = d.id
        where d.external_id = $1::text`,
      values: [externalId],
    });
    const [queue] = await service!.database.withoutTenant.query<{ queued: number }>({
      text: 'select count(*)::integer as queued from pgboss.job where id = any($1::uuid[])',
      values: [row!.ids.filter((id) => id !== null)],
    });
    const { documents, versions, jobs } = row!;
    return { documents, versions, jobs, queued: queue!.queued };
  }
  const once = { documents: 1, versions: 1, jobs: 1, queued: 1 };

  it('makes one document and one job of 100 identical submits at once', async () => {
    const text = `The same text ${randomUUID()}.`;
    const replies = await Promise.all(
      Array.from({ length: SUBMITS }, () => send(service!.client.url, { text, external_id: text })),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    expect(
      new Set(replies.map(({ body }) => `${body.job_id} ${body.document_id} ${body.version}`)).size,
    ).toBe(1);
    expect(replies.filter(({ body }) => body.status === 'queued')).toHaveLength(1);
    expect(await countOf(text)).toEqual(once);
  });

  it('has one effect and one answer for 100 submits at once with the same Idempotency-Key', async () => {
    const [key, text] = [randomUUID(), `A text with a key ${randomUUID()}.`];
    const replies = await Promise.all(
      Array.from({ length: SUBMITS }, () => send(service!.client.url, { text, external_id: text }, key)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(replies[0]!.body.status).toBe('queued');
    expect(await countOf(text)).toEqual(once);

    const other = await send(service!.client.url, { text: 'another text', external_id: text }, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await countOf(text)).toEqual(once);
  });

  describe('by an api that is killed', () => {
    let api: ServerProcess | undefined;

    async function restart(): Promise<string> {
      api?.child.kill('SIGKILL');
      api = ServerProcess.spawn({ ...service!.environment, LOG_LEVEL: 'error' });
      return (await api.ready()).url;
    }

    afterAll(() => {
      api?.child.kill('SIGKILL');
    });

    it('before its commit: nothing happened, and the same request does it', async () => {
      const [key, text] = [randomUUID(), `Killed before the commit ${randomUUID()}.`];
      const first = await restart();
      // The document is there already; its row is locked, so that the request stands inside its transaction.
      await send(first, { text: 'The version before.', external_id: text });
      const lock = await lockRows(service!.database, {
        text: 'select id from documents where external_id = $1::text for update',
        values: [text],
      });
      const cut = send(first, { text, external_id: text }, key).catch((error: unknown) => error);
      await untilBlocked(service!.database, 'insert into documents');
      const second = restart();
      expect(await cut).toBeInstanceOf(Error);
      await lock.release();
      const again = await send(await second, { text, external_id: text }, key);
      expect(again).toMatchObject({ status: 202, body: { status: 'queued', version: 2 } });
      expect(await countOf(text)).toEqual({ documents: 1, versions: 2, jobs: 2, queued: 2 });
      const replay = await send(await second, { text, external_id: text }, key);
      expect(replay.body).toEqual(again.body);
    }, 120_000);

    it('at any moment around its commit: one effect, and one answer for all who ask again', async () => {
      const [key, text] = [randomUUID(), `Killed after the commit ${randomUUID()}.`];
      const first = await restart();
      const cut = send(first, { text, external_id: text }, key).then(
        ({ body }) => body,
        () => null,
      );
      await waitFor('the commit', async () => {
        const { documents } = await countOf(text);
        return documents === 1;
      });
      api!.child.kill('SIGKILL');
      const answered = await cut; // the answer may have been faster than the kill
      const second = await restart();
      const [again, oneMore] = [
        await send(second, { text, external_id: text }, key),
        await send(second, { text, external_id: text }, key),
      ];
      expect(again.status).toBe(202);
      expect(again.body.status).toBe('queued'); // the answer to the first request, not "unchanged"
      expect(oneMore.body).toEqual(again.body);
      if (answered) expect(again.body).toEqual(answered);
      expect(await countOf(text)).toEqual(once);
    }, 120_000);
  });

  it('is followed by a worker that makes each of them ready once', async () => {
    service!.startWorker();
    await waitFor('the worker', () => isIdle(service!.database));
    const rows = await service!.database.query({
      text: `select status, count(*)::integer from index_jobs where status not in ('ready', 'superseded') group by status`,
    });
    expect(rows).toEqual([]);
  });
});

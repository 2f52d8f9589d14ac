import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { describeOnEachStore } from '../support/stores.js';

const refusal = { status: 400, body: JSON.stringify({ error: { message: 'not in the mood' } }) };

interface RetryView {
  job_id: string | null;
  count: number;
}

// One document at a time, so that the second one waits for as long as the test wants.
describeOnEachStore('jobs', { INDEX_CONCURRENCY: '1' }, (open) => {
  const client = () => open().api.client;

  async function newCollection(): Promise<string> {
    const name = `c-${randomUUID()}`;
    expect((await client().post('/collections', { name })).status).toBe(201);
    return name;
  }

  async function submit(text: string, fields: Record<string, unknown> = {}): Promise<AcceptedView> {
    const { status, body } = await client().post<AcceptedView>('/index', { text, ...fields });
    expect({ status, body }).toMatchObject({ status: 202 });
    return body;
  }

  async function failed(text: string, fields: Record<string, unknown> = {}): Promise<AcceptedView> {
    open().models.outage = refusal;
    const accepted = await submit(text, fields);
    expect((await client().jobEnd(accepted)).status).toBe('failed');
    open().models.outage = null;
    return accepted;
  }

  const sourcesOf = async (question: string, collection: string) => {
    const { body } = await client().post<{ sources: { document_id: string; text: string }[] }>('/search', {
      question,
      collection,
    });
    return body.sources;
  };

  it('go from queued by way of running in a stage to ready', async () => {
    open().models.hold();
    const first = await submit('The lighthouse of Hallig is red.');
    const second = await submit('The lighthouse of Pellworm is white.');
    const running = await client().jobWhen('embedded', first.job_id, ({ stage }) => stage === 'embed');
    expect(running).toMatchObject({
      status: 'running',
      unit: 'chunks',
      done: 0,
      total: 1,
      attempts: 1,
      finished_at: null,
    });
    expect(await client().job(second.job_id)).toMatchObject({
      status: 'queued',
      stage: null,
      attempts: 0,
      version: 1,
    });
    open().models.release();
    for (const accepted of [first, second]) {
      const job = await client().jobEnd(accepted);
      expect(job).toMatchObject({ status: 'ready', stage: 'store', unit: 'chunks', done: 1, total: 1 });
      expect(job.error).toBeNull();
    }
  });

  it('show how many chunks are embedded while the model takes its time', async () => {
    const text = Array.from({ length: 60 }, (_, n) => `# Part ${n}\n\n${`Word${n} `.repeat(300)}`).join(
      '\n\n',
    );
    open().models.hold(1);
    const accepted = await submit(text);
    const running = await client().jobWhen('part of the way', accepted.job_id, ({ done }) => done > 0);
    expect(running).toMatchObject({ status: 'running', stage: 'embed', unit: 'chunks' });
    open().models.release();
    const job = await client().jobEnd(accepted);
    expect(job.done).toBeGreaterThan(running.done);
    expect(job.done).toBe(job.total);
  });

  it('fail with code, stage and message, and are ready when they are tried again later', async () => {
    const accepted = await failed(`The ferry to ${randomUUID()} leaves at nine.`);
    expect(await client().job(accepted.job_id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { code: 'model_rejected_request', stage: 'embed', retryable: false },
    });
    const { status, body } = await client().call<RetryView>(`/jobs/${accepted.job_id}/retry`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ job_id: accepted.job_id, count: 1, status: 'queued' });
    expect(await client().jobEnd(accepted)).toMatchObject({ status: 'ready', error: null, version: 1 });
    const document = await client().get(`/documents/${accepted.document_id}`);
    expect(document.body).toMatchObject({ current_version: 1, latest_status: 'ready' });
  });

  it('are not tried again when a newer version came, and the answer says so', async () => {
    const external_id = randomUUID();
    const old = await failed(`Version one of ${external_id}.`, { external_id });
    const newer = await submit(`Version two of ${external_id}.`, { external_id });
    await client().jobEnd(newer);
    const { status, body } = await client().call(`/jobs/${old.job_id}/retry`);
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'job_conflict', detail: expect.stringContaining('newer version') });
    expect((await client().call(`/jobs/${newer.job_id}/retry`)).body).toMatchObject({
      code: 'job_conflict',
      detail: expect.stringContaining('the job is ready'),
    });
    expect((await client().call(`/jobs/${randomUUID()}/retry`)).status).toBe(404);
  });

  it('are tried again by a filter: those it keeps and no others', async () => {
    const [collection, other] = [await newCollection(), await newCollection()];
    const wanted = [await failed('One.', { collection }), await failed('Two.', { collection })];
    const empty = await client().post<AcceptedView>('/index', { text: ' ', collection });
    const elsewhere = await failed('Three.', { collection: other });
    await client().jobEnd(empty.body);
    const listed = await client().get<{ jobs: JobView[] }>(
      `/jobs?collection=${collection}&status=failed&code=model_rejected_request`,
    );
    expect(listed.body.jobs.map(({ job_id }) => job_id)).toEqual(
      wanted.map(({ job_id }) => job_id).toReversed(),
    );
    const { body } = await client().post<RetryView>('/jobs/retry', {
      collection,
      code: 'model_rejected_request',
    });
    expect(body).toMatchObject({ count: 2, job_id: null });
    for (const accepted of wanted) expect((await client().jobEnd(accepted)).status).toBe('ready');
    expect((await client().job(empty.body.job_id)).error?.code).toBe('document_empty');
    expect((await client().job(elsewhere.job_id)).status).toBe('failed');
    expect((await client().post('/jobs/retry', { collection, parent: 'x' })).status).toBe(422);
  });

  it('are cancelled while they wait and while they run, and can be submitted again', async () => {
    const collection = await newCollection();
    open().models.hold();
    const running = await submit('The otter sleeps on its back.', { collection });
    const waiting = await submit('The seal sleeps under water.', { collection });
    await client().jobWhen('embedded', running.job_id, ({ stage }) => stage === 'embed');
    for (const { job_id, document_id } of [waiting, running]) {
      const { status, body } = await client().call<JobView>(`/jobs/${job_id}/cancel`);
      expect(status).toBe(200);
      expect(body.status).toBe('cancelled');
      expect(body.finished_at).not.toBeNull();
      const document = await client().get(`/documents/${document_id}`);
      expect(document.body).toMatchObject({ current_version: null, latest_status: 'cancelled' });
    }
    open().models.release();
    // The worker is free again: it does what comes after.
    const next = await client().indexText('The walrus sleeps on ice.', { collection });
    expect((await client().job(running.job_id)).status).toBe('cancelled');
    expect((await client().job(waiting.job_id)).status).toBe('cancelled');
    const found = (await sourcesOf('Who sleeps?', collection)).map(({ document_id }) => document_id);
    expect(found).toEqual([next.document_id]);
    const again = await client().call(`/jobs/${running.job_id}/cancel`);
    expect(again.status).toBe(409);
    expect(again.body.detail).toContain('cancelled');
    const anew = await client().indexText('The otter sleeps on its back.', { collection });
    expect(anew).toMatchObject({ document_id: running.document_id, version: 2 });
  });

  it('that are cancelled leave the version before as it was, and can be tried again', async () => {
    const collection = await newCollection();
    const fields = { collection, external_id: 'tariff' };
    await client().indexText('A day ticket costs four crowns.', fields);
    open().models.hold();
    const second = await submit('A day ticket costs five crowns.', fields);
    await client().jobWhen('embedded', second.job_id, ({ stage }) => stage === 'embed');
    await client().call(`/jobs/${second.job_id}/cancel`);
    open().models.release();
    const question = 'What does a day ticket cost?';
    expect((await sourcesOf(question, collection)).map(({ text }) => text)).toEqual([
      'A day ticket costs four crowns.',
    ]);
    expect((await client().call(`/jobs/${second.job_id}/retry`)).status).toBe(202);
    expect((await client().jobEnd(second)).status).toBe('ready');
    expect((await sourcesOf(question, collection)).map(({ text }) => text)).toEqual([
      'A day ticket costs five crowns.',
    ]);
  });

  it('are done in the order of their priority', async () => {
    open().models.hold();
    const blocker = await submit(`Blocker ${randomUUID()}.`);
    await client().jobWhen('embedded', blocker.job_id, ({ stage }) => stage === 'embed');
    const accepted: Record<string, AcceptedView> = {};
    for (const priority of ['low', 'normal', 'high']) {
      accepted[priority] = await submit(`A ${priority} document ${randomUUID()}.`, { priority });
      expect((await client().job(accepted[priority].job_id)).priority).toBe(priority);
    }
    open().models.release();
    const finished = [];
    for (const [priority, job] of Object.entries(accepted)) {
      finished.push({ priority, at: (await client().jobEnd(job)).finished_at! });
    }
    finished.sort((a, b) => a.at.localeCompare(b.at));
    expect(finished.map(({ priority }) => priority)).toEqual(['high', 'normal', 'low']);
  });

  it('of two collections take turns, however many one of them has', async () => {
    const [many, one] = [await newCollection(), await newCollection()];
    open().models.hold();
    const blocker = await submit(`Blocker ${randomUUID()}.`);
    await client().jobWhen('embedded', blocker.job_id, ({ stage }) => stage === 'embed');
    const documents = Array.from({ length: 20 }, (_, n) => ({ text: `Document ${n}.` }));
    const batch = await client().post<{ job_id: string }>('/index/batch', { collection: many, documents });
    const single = await submit('The only document.', { collection: one });
    open().models.release();
    const alone = await client().jobEnd(single);
    await client().jobEnd(batch.body);
    const { body } = await client().get<{ jobs: JobView[] }>(`/jobs?parent=${batch.body.job_id}`);
    const before = body.jobs.filter(({ finished_at }) => finished_at! < alone.finished_at!);
    expect(before.length).toBeLessThanOrEqual(2);
  });

  it('are listed newest first, page by page, by collection, status and document', async () => {
    const collection = await newCollection();
    const ids: string[] = [];
    for (const text of ['Uno.', 'Due.', 'Tre.']) {
      ids.unshift((await client().indexText(text, { collection })).job_id);
    }
    const pages: string[] = [];
    let before = '';
    do {
      const { body } = await client().get<{ jobs: JobView[]; next_before: string | null }>(
        `/jobs?collection=${collection}&limit=2${before && `&before=${before}`}`,
      );
      pages.push(...body.jobs.map(({ job_id }) => job_id));
      before = body.next_before ?? '';
    } while (before);
    expect(pages).toEqual(ids);
    const { document_id } = await client().job(ids[0]!);
    const own = await client().get<{ jobs: JobView[] }>(`/jobs?document=${document_id}&status=ready`);
    expect(own.body.jobs.map(({ job_id }) => job_id)).toEqual([ids[0]]);
    for (const query of ['status=done', 'code=%00', 'limit=0', 'collection=%27', 'nothing=1']) {
      expect((await client().get(`/jobs?${query}`)).status, query).toBe(422);
    }
    expect((await client().post('/jobs/retry', { code: '\0' })).status).toBe(422);
  });

  it('wait while the model server is away and go on by themselves when it is back', async () => {
    open().models.outage = { status: 503 };
    const accepted = await submit(`The heron of ${randomUUID()} stands in the reeds.`);
    const waiting = await client().jobWhen(
      'tried again later',
      accepted.job_id,
      ({ status, error }) => status === 'queued' && error !== null,
    );
    expect(waiting.error).toMatchObject({ code: 'model_unavailable', stage: 'embed', retryable: true });
    open().models.outage = null;
    const job = await client().jobEnd(accepted);
    expect(job).toMatchObject({ status: 'ready', error: null });
    expect(job.attempts).toBeGreaterThan(1);
  });

  it('end in the dead letter after the last attempt, and leave it when the model server is back', async () => {
    const collection = await newCollection();
    const fields = { collection, external_id: 'crane' };
    await client().indexText('The crane sleeps.', fields);
    open().models.outage = { status: 503 };
    const accepted = await submit('The crane calls at dawn.', fields);
    const job = await client().jobEnd(accepted, 240_000);
    expect(job).toMatchObject({
      status: 'failed',
      attempts: 6,
      error: { code: 'model_unavailable', stage: 'embed', retryable: true },
    });
    open().models.outage = null;
    const textsOf = async () => (await sourcesOf('crane', collection)).map(({ text }) => text);
    expect(await textsOf()).toEqual(['The crane sleeps.']);
    const { body } = await client().post<RetryView>('/jobs/retry', { collection });
    expect(body.count).toBe(1);
    expect((await client().jobEnd(accepted)).status).toBe('ready');
    expect(await textsOf()).toEqual(['The crane calls at dawn.']);
  }, 300_000);
});

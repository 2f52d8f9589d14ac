import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '#libs/database';
import { UrlRefresh } from '../../libs/indexing/src/url-refresh.js';
import { MockLlm } from '../mock-llm/index.js';
import { type PageHandler, PageServer, redirectTo } from '../support/page-server.js';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { embeddingsOf } from '../support/stores.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

let api: TestApi;
let models: MockLlm;
let site: PageServer;
let elsewhere: PageServer;

beforeAll(async () => {
  models = await MockLlm.start();
  site = await PageServer.start();
  elsewhere = await PageServer.start(
    { '/': page('Secret', 'A secret of the private network.') },
    { host: '127.0.0.2' },
  );
  api = await startTestApi({
    ...embeddingsOf(models),
    FETCH_ALLOW_NETWORKS: '127.0.0.1/32',
    CRAWL_DELAY_MS: '0',
    CRAWL_PAGES_MAX: '20',
  });
});
afterEach(() => {
  models.release();
  models.outage = null;
});
afterAll(async () => {
  await api?.close();
  for (const server of [site, elsewhere, models]) await server?.close();
});

const refusal = { status: 400, body: JSON.stringify({ error: { message: 'not in the mood' } }) };

function page(title: string, text: string, links: string[] = []): string {
  const anchors = links.map((link) => `<a href="${link}">${link}</a>`).join(' ');
  return `<!doctype html><html><head><title>${title}</title></head><body><main><h1>${title}</h1><p>${text}</p>${anchors}</main></body></html>`;
}

/** Answers 304 to whoever has this version already. */
function tagged(etag: string, html: string): PageHandler {
  return (request, response) => {
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
    response.writeHead(200, { 'content-type': 'text/html', etag }).end(html);
  };
}

/** A path of its own for each test. */
function publish(content: PageHandler | string): string {
  const path = `/${randomUUID()}`;
  site.pages[path] = content;
  return path;
}

async function submit(path: string, fields: Record<string, unknown> = {}): Promise<AcceptedView> {
  const { status, body } = await api.client.post<AcceptedView>('/index', { url: site.url(path), ...fields });
  expect({ status, body }).toMatchObject({ status: 202, body: { status: 'queued' } });
  return body;
}

const document = async (id: string) => (await api.client.get(`/documents/${id}`)).body;

describe('POST /index {url}', () => {
  it('fetches the page, and it is there from the 202 on', async () => {
    const path = publish(page('Harbour rules', 'Ships sound their horn twice.'));
    models.hold();
    const accepted = await submit(path, { metadata: { a: 1 } });
    expect(accepted).toMatchObject({ version: null, duplicate_of: null });
    const early = await api.client.get(`/documents/${accepted.document_id}`);
    expect(early).toMatchObject({
      status: 200,
      body: { current_version: null, external_id: `url:${site.url(path)}` },
    });
    expect(['queued', 'running']).toContain(early.body.latest_status);
    models.release();
    expect(await api.client.jobEnd(accepted)).toMatchObject({ status: 'ready', version: 1 });
    expect(await document(accepted.document_id)).toMatchObject({
      title: 'Harbour rules',
      media_type: 'text/html',
      current_version: 1,
      latest_status: 'ready',
      metadata: { a: 1 },
    });
    const { body } = await api.client.ask('How often do ships sound their horn?');
    expect(JSON.stringify(body.sources)).toContain('horn twice');
  });

  it('does nothing when the page has not changed, and takes what is new', async () => {
    const path = publish(tagged('"v1"', page('Tides', 'High tide is at six.')));
    const first = await submit(path);
    await api.client.jobEnd(first);
    const second = await submit(path);
    expect(second.document_id).toBe(first.document_id);
    expect(await api.client.jobEnd(second)).toMatchObject({
      status: 'ready',
      version: null,
      details: { unchanged: true },
    });
    expect(site.requests.at(-1)!.headers['if-none-match']).toBe('"v1"');
    expect(await document(first.document_id)).toMatchObject({ latest_version: 1 });
    site.pages[path] = tagged('"v2"', page('Tides', 'High tide is at seven.'));
    const third = await submit(path);
    expect(await api.client.jobEnd(third)).toMatchObject({ status: 'ready', version: 2 });
    expect((await api.client.content(first.document_id)).text).toContain('seven');
  });

  it('changes metadata and title of a page that has not changed', async () => {
    const path = publish(tagged('"m"', page('Fees', 'A berth costs ten crowns.')));
    const first = await submit(path, { metadata: { year: 2025 } });
    await api.client.jobEnd(first);
    await api.client.jobEnd(await submit(path, { metadata: { year: 2026 } }));
    expect(await document(first.document_id)).toMatchObject({ metadata: { year: 2026 }, title: 'Fees' });
    await api.client.jobEnd(await submit(path, { title: 'Berth fees' }));
    expect(await document(first.document_id)).toMatchObject({
      metadata: { year: 2026 },
      title: 'Berth fees',
    });
  });

  it('takes the metadata of a second request while the first one waits', async () => {
    const path = publish(page('Ropes', 'Ropes are renewed each spring.'));
    models.hold();
    // Two at a time are indexed; a third one waits.
    const blockers = [await submit(publish('<p>one</p>')), await submit(publish('<p>two</p>'))];
    for (const { job_id } of blockers)
      await api.client.jobWhen('embedded', job_id, ({ stage }) => stage === 'embed');
    const first = await submit(path, { metadata: { n: 1 } });
    const second = await submit(path, { metadata: { n: 2 } });
    expect(second.document_id).toBe(first.document_id);
    models.release();
    await api.client.jobEnd(first);
    await api.client.jobEnd(second);
    expect(await document(first.document_id)).toMatchObject({ metadata: { n: 2 } });
  });

  it('does not call a page unchanged whose content could not be indexed', async () => {
    const path = publish(tagged('"x"', page('Locks', 'The lock opens every hour.')));
    models.outage = refusal;
    const first = await submit(path);
    expect(await api.client.jobEnd(first)).toMatchObject({ status: 'failed', error: { stage: 'embed' } });
    models.outage = null;
    const second = await submit(path);
    expect((await api.client.jobEnd(second)).status).toBe('ready');
    expect(await document(first.document_id)).toMatchObject({ current_version: 2, latest_status: 'ready' });
  });

  it('goes on with the content that was fetched when the job is tried again', async () => {
    const path = publish(tagged('"y"', page('Piers', 'The pier is open at night.')));
    models.outage = refusal;
    const accepted = await submit(path);
    await api.client.jobEnd(accepted);
    models.outage = null;
    delete site.pages[path];
    expect((await api.client.call(`/jobs/${accepted.job_id}/retry`)).status).toBe(202);
    expect(await api.client.jobEnd(accepted)).toMatchObject({ status: 'ready', version: 1 });
  });

  it.each<[what: string, url: () => string, code: string, message: string]>([
    ['a page that is not there', () => site.url('/nothing-here'), 'url_status', '404'],
    ['a private address', () => elsewhere.url('/'), 'url_not_allowed', 'FETCH_ALLOW_NETWORKS'],
    [
      'a redirect to a private address',
      () => site.url(publish(redirectTo(elsewhere.url('/')))),
      'url_not_allowed',
      '',
    ],
    ['metadata of a cloud', () => 'http://169.254.169.254/latest/meta-data', 'url_not_allowed', ''],
    [
      'a picture',
      () =>
        site.url(
          publish((_request, response) =>
            response.end(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
          ),
        ),
      'unsupported_media_type',
      '',
    ],
  ])('fails %s with a reason, and the document says so', async (_what, url, code, message) => {
    const { body } = await api.client.post<AcceptedView>('/index', { url: url() });
    const job = await api.client.jobEnd(body);
    expect(job).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { code, stage: 'fetch', retryable: false },
    });
    expect(job.error!.message).toContain(message);
    expect(await document(body.document_id)).toMatchObject({
      current_version: null,
      latest_version: null,
      latest_status: 'failed',
    });
    expect(elsewhere.requests).toEqual([]);
    expect((await api.client.call(`/jobs/${body.job_id}/retry`)).status).toBe(202);
    expect((await api.client.jobEnd(body)).status).toBe('failed');
  });

  it('keeps the old version while the page is gone', async () => {
    const path = publish(page('Cranes', 'Crane three lifts forty tons.'));
    const first = await submit(path);
    await api.client.jobEnd(first);
    delete site.pages[path];
    expect((await api.client.jobEnd(await submit(path))).status).toBe('failed');
    expect(await document(first.document_id)).toMatchObject({ current_version: 1, latest_status: 'ready' });
    const { body } = await api.client.ask('How much does crane three lift?');
    expect(JSON.stringify(body.sources)).toContain('forty tons');
  });

  it.each<[what: string, body: Record<string, unknown>]>([
    ['no URL', { url: 'harbour' }],
    ['text beside it', { url: 'http://example.com/', text: 'x' }],
    ['a refresh without it', { text: 'x', refresh: 'PT6H' }],
    ['a refresh that is no duration', { url: 'http://example.com/', refresh: 'daily' }],
    ['a refresh every minute', { url: 'http://example.com/', refresh: 'PT1M' }],
    ['a crawl with a title', { url: 'http://example.com/', crawl: {}, title: 'x' }],
    ['a crawl with a refresh', { url: 'http://example.com/', crawl: {}, refresh: 'PT6H' }],
  ])('answers 422 for %s', async (_what, body) => {
    expect(await api.client.post('/index', body)).toMatchObject({
      status: 422,
      body: { code: 'invalid_request' },
    });
  });

  it.each(['file:///etc/passwd', 'http://user:secret@example.com/'])('answers 403 for %s', async (url) => {
    const reply = await api.client.post('/index', { url });
    expect(reply).toMatchObject({ status: 403, body: { code: 'url_not_allowed' } });
    expect(JSON.stringify(reply.body)).not.toContain('secret');
  });

  it('has one effect for one Idempotency-Key', async () => {
    const path = publish(page('Keys', 'One key.'));
    const headers = { 'idempotency-key': randomUUID() };
    const url = site.url(path);
    const first = await api.client.post<AcceptedView>('/index', { url }, headers);
    await api.client.jobEnd(first.body);
    expect((await api.client.post('/index', { url }, headers)).body).toEqual(first.body);
    expect(site.paths().filter((seen) => seen === path)).toHaveLength(1);
    expect((await api.client.post('/index', { url: `${url}x` }, headers)).status).toBe(422);
  });
});

describe('a refresh schedule', () => {
  const makeDue = (id: string) =>
    api.app.get(Database, { strict: false }).query({
      text: `update document_urls set next_fetch_at = now() - interval '1 second' where document_id = $1::uuid`,
      values: [id],
    });
  const check = () => api.app.get(UrlRefresh, { strict: false }).check();
  const jobsOf = async (id: string) =>
    (await api.client.get<{ jobs: JobView[] }>(`/jobs?document=${id}`)).body.jobs;

  it('fetches the page again when its time has come, keeps what the client gave, and not before', async () => {
    const path = publish(tagged('"r1"', page('Weather', 'Wind from the west.')));
    const accepted = await submit(path, {
      refresh: 'PT6H',
      metadata: { kind: 'report' },
      title: 'My weather',
    });
    await api.client.jobEnd(accepted);
    await check();
    expect(await jobsOf(accepted.document_id)).toHaveLength(1);
    await makeDue(accepted.document_id);
    await Promise.all([check(), check()]);
    await check();
    const [unchanged, ...before] = await jobsOf(accepted.document_id);
    expect(before).toHaveLength(1);
    expect(await api.client.jobEnd(unchanged!)).toMatchObject({
      status: 'ready',
      details: { unchanged: true },
    });
    site.pages[path] = tagged('"r2"', page('Weather', 'Wind from the east.'));
    await makeDue(accepted.document_id);
    await check();
    const [changed] = await jobsOf(accepted.document_id);
    expect(await api.client.jobEnd(changed!)).toMatchObject({ status: 'ready', version: 2, priority: 'low' });
    expect(await document(accepted.document_id)).toMatchObject({
      title: 'My weather',
      metadata: { kind: 'report' },
      current_version: 2,
    });
    // A request without a schedule ends it.
    await api.client.jobEnd(await submit(path));
    const [row] = await api.app.get(Database, { strict: false }).query({
      text: 'select next_fetch_at from document_urls where document_id = $1::uuid',
      values: [accepted.document_id],
    });
    expect(row).toEqual({ next_fetch_at: null });
  });
});

describe('a crawl', () => {
  it('makes a document of each page of the site, under one job', async () => {
    const base = `/${randomUUID()}`;
    const broken = `${base}/broken`;
    site.pages[base] = page('Start', 'The start of the manual.', [
      `${base}/a`,
      `${base}/b`,
      broken,
      elsewhere.url('/'),
    ]);
    site.pages[`${base}/a`] = page('A', 'Chapter A of the manual.', [base, `${base}/c`]);
    site.pages[`${base}/b`] = page('B', 'Chapter B of the manual.');
    site.pages[`${base}/c`] = page('C', 'Chapter C of the manual.');
    const collection = `c-${randomUUID()}`;
    await api.client.post('/collections', { name: collection });
    const { body } = await api.client.post<AcceptedView>('/index', {
      url: site.url(base),
      collection,
      crawl: { max_depth: 3 },
      metadata: { source: 'manual' },
    });
    expect(body).toMatchObject({ document_id: null, version: null, status: 'queued' });
    const job = await api.client.jobEnd(body);
    expect(job).toMatchObject({
      kind: 'crawl',
      status: 'ready',
      total: 5,
      resolved_count: 4,
      skipped_count: 1,
    });
    expect(job.details.skipped).toMatchObject([
      { external_id: `url:${site.url(broken)}`, reason: 'refused', code: 'url_status' },
    ]);
    const { body: list } = await api.client.get<{ documents: { title: string; metadata: object }[] }>(
      `/documents?collection=${collection}`,
    );
    expect(list.documents.map(({ title }) => title).toSorted()).toEqual(['A', 'B', 'C', 'Start']);
    expect(list.documents[0]!.metadata).toMatchObject({
      source: 'manual',
      url: expect.stringContaining(base),
    });
    expect(elsewhere.requests).toEqual([]);
    const again = await api.client.post<AcceptedView>('/index', {
      url: site.url(base),
      collection,
      crawl: {},
    });
    expect(await api.client.jobEnd(again.body)).toMatchObject({
      status: 'ready',
      resolved_count: 0,
      skipped_count: 5,
    });
    const bounded = await api.client.post<AcceptedView>('/index', {
      url: site.url(base),
      crawl: { max_pages: 2 },
    });
    expect(await api.client.jobEnd(bounded.body)).toMatchObject({ status: 'ready', total: 2 });
  });

  it('ends although one of its documents was cancelled before the last one was found', async () => {
    const base = `/${randomUUID()}`;
    const slow = Promise.withResolvers<void>();
    site.pages[base] = page('Start', 'The start.', [`${base}/slow`]);
    site.pages[`${base}/slow`] = (_request, response) =>
      void slow.promise.then(() => response.end('<p>Late.</p>'));
    models.hold();
    const { body } = await api.client.post<AcceptedView>('/index', { url: site.url(base), crawl: {} });
    const first = await waitFor('the first document', async () => {
      const { body: list } = await api.client.get<{ jobs: JobView[] }>(`/jobs?parent=${body.job_id}`);
      return list.jobs[0];
    });
    expect((await api.client.call(`/jobs/${first.job_id}/cancel`)).status).toBe(200);
    slow.resolve();
    models.release();
    expect(await api.client.jobEnd(body)).toMatchObject({
      status: 'ready',
      total: 2,
      resolved_count: 1,
      skipped_count: 1,
    });
  });

  it('that is cancelled gets no more documents', async () => {
    const base = `/${randomUUID()}`;
    const links = Array.from({ length: 15 }, (_, n) => `${base}/${n}`);
    site.pages[base] = page('Start', 'The start.', links);
    for (const link of links) {
      site.pages[link] = (_request, response) => void setTimeout(() => response.end(page(link, link)), 50);
    }
    models.hold();
    const { body } = await api.client.post<AcceptedView>('/index', { url: site.url(base), crawl: {} });
    const childrenOf = async () =>
      (await api.client.get<{ jobs: JobView[] }>(`/jobs?parent=${body.job_id}`)).body.jobs;
    await waitFor('the first documents', async () => (await childrenOf()).length > 1);
    expect(await api.client.call(`/jobs/${body.job_id}/cancel`)).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    const children = await childrenOf();
    expect(children.every(({ status }) => status === 'cancelled')).toBe(true);
    models.release();
    // The one expander is through with it when it has done another.
    const next = await api.client.post<AcceptedView>('/index', {
      url: site.url(publish('<p>x</p>')),
      crawl: {},
    });
    await api.client.jobEnd(next.body);
    expect((await childrenOf()).map(({ job_id }) => job_id)).toEqual(children.map(({ job_id }) => job_id));
  });

  it('that can not start fails with a reason, and can be tried again', async () => {
    const { body } = await api.client.post<AcceptedView>('/index', { url: elsewhere.url('/'), crawl: {} });
    const job = await api.client.jobEnd(body);
    expect(job).toMatchObject({ kind: 'crawl', status: expect.stringMatching(/failed|ready/) });
    expect(JSON.stringify(job)).toContain('url_not_allowed');
    expect(elsewhere.requests).toEqual([]);
  });
});

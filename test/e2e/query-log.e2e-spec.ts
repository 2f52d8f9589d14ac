import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeOnEachStore } from '../support/stores.js';
import { waitFor } from '../support/wait-for.js';

interface LoggedView {
  kind: string;
  request_id: string;
  status: string;
  question: string | null;
  user_id: string | null;
  chunk_ids: string[];
  timings_ms: Record<string, number>;
  feedback: { thumb: string; comment: string | null } | null;
}

interface ListView {
  queries: LoggedView[];
  next_before: string | null;
}

describeOnEachStore('the query log', { LOG_QUESTIONS: 'true' }, (open) => {
  const listed = async (search: string) =>
    (await open().api.client.get<ListView>(`/admin/queries?${search}`)).body;

  it('has each question with what became of it, failed ones too, and sums them up', async () => {
    const { client } = open().api;
    await client.indexText('The archive room opens with code 4711.', { title: 'Door codes' });
    const answered = await client.ask('With which code does the archive room open?', { user_id: 'ada' });
    const nothing = await client.ask('Who won the football world cup?');
    const failed = await client.ask('Anything?', { collection: 'not-there' });
    expect([answered.body.status, nothing.body.status, failed.status]).toEqual([
      'answered',
      'no_evidence',
      404,
    ]);
    const { queries } = await waitFor('the log to be written', async () => {
      const list = await listed('limit=9');
      return list.queries.length >= 3 && list;
    });
    expect(queries.map(({ status }) => status)).toEqual(['failed', 'no_evidence', 'answered']);
    const entry = queries[2]!;
    expect(entry).toMatchObject({
      request_id: answered.body.request_id,
      question: 'With which code does the archive room open?',
      user_id: 'ada',
      feedback: null,
    });
    expect(entry.chunk_ids.length).toBeGreaterThan(0);
    expect(Object.keys(entry.timings_ms)).toEqual(
      expect.arrayContaining(['embed', 'vector', 'lexical', 'answer', 'total']),
    );
    expect((await listed('status=no_evidence,failed')).queries).toHaveLength(2);
    const page = await listed('limit=2');
    expect((await listed(`limit=2&before=${page.next_before}`)).queries.map(({ status }) => status)).toEqual([
      'answered',
    ]);
    const { body } = await client.get('/metrics/summary');
    expect(body).toMatchObject({
      window_seconds: 300,
      total_queries: 3,
      failed_queries: 1,
      no_evidence_queries: 1,
    });
    expect(body.avg_latency_ms).toBeGreaterThan(0);
    expect(body.p95_latency_ms).toBeGreaterThan(0);
  });

  it('has streamed answers, too', async () => {
    const { url } = open().api;
    const response = await fetch(`${url}/query/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'streamed-1' },
      body: JSON.stringify({ question: 'With which code does the archive room open?' }),
    });
    expect(await response.text()).toContain('event: final');
    const entry = await waitFor('the entry', async () =>
      (await listed('limit=50')).queries.find(({ request_id }) => request_id === 'streamed-1'),
    );
    expect(entry.status).toBe('answered');
    expect(entry.timings_ms.total).toBeGreaterThan(0);
  });

  it('has searches, with those that find nothing, and sums up questions alone', async () => {
    const { client } = open().api;
    const { body: before } = await client.get('/metrics/summary');
    await client.post('/search', { question: 'archive room' }, { 'x-request-id': 'found-1' });
    await client.post('/search', { question: 'zeppelin', mode: 'lexical' }, { 'x-request-id': 'found-2' });
    const missing = { question: 'Anything?', collection: 'not-there' };
    await client.post('/search', missing, { 'x-request-id': 'found-3' });
    const searches = await waitFor('the searches', async () => {
      const { queries } = await listed('kind=search');
      return queries.length >= 3 && queries;
    });
    expect(searches.map(({ request_id, status, question }) => [request_id, status, question])).toEqual([
      ['found-3', 'failed', 'Anything?'],
      ['found-2', 'no_evidence', 'zeppelin'],
      ['found-1', 'answered', 'archive room'],
    ]);
    expect(searches[2]!.chunk_ids.length).toBeGreaterThan(0);
    const nothing = (await listed('status=no_evidence')).queries.map(({ request_id }) => request_id);
    expect(nothing).toContain('found-2');
    expect((await listed('kind=ask')).queries.every(({ kind }) => kind === 'ask')).toBe(true);
    const { body: after } = await client.get('/metrics/summary');
    expect(after.total_queries).toBe(before.total_queries);
  });

  it("has an agent's answers, once each", async () => {
    const { client } = open().api;
    const input = { input: 'With which code does the archive room open?' };
    const { body } = await client.post<{ metadata: { run_id: string } }>('/agent/invoke', { input });
    const runId = body.metadata.run_id;
    const entries = await waitFor('the entry', async () => {
      const { queries } = await listed('limit=200');
      const found = queries.filter(({ request_id }) => request_id === runId);
      return found.length > 0 && found;
    });
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ kind: 'ask', status: expect.stringMatching(/answered|degraded/) });
    expect(await client.post(`/query/${runId}/feedback`, { thumb: 'up' })).toMatchObject({ status: 200 });
  });

  it('takes feedback on an answer at once, and a change of mind', async () => {
    const { client } = open().api;
    const { body: answer } = await client.ask('With which code does the archive room open?');
    const path = `/query/${answer.request_id}/feedback`;
    const first = await client.post(path, { thumb: 'up' });
    expect(first).toMatchObject({ status: 200, body: { thumb: 'up', comment: null } });
    const second = await client.post(path, { thumb: 'down', comment: 'which door?' });
    expect(second.body).toMatchObject({ thumb: 'down', comment: 'which door?' });
    const { queries } = await listed('thumb=down');
    expect(queries).toHaveLength(1);
    expect(queries[0]).toMatchObject({
      request_id: answer.request_id,
      feedback: { thumb: 'down', comment: 'which door?' },
    });
  });

  it('refuses feedback on an unknown answer, and what it does not understand', async () => {
    const { client } = open().api;
    const unknown = await client.post(`/query/${randomUUID()}/feedback`, { thumb: 'up' });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'query_not_found' } });
    const { status } = await client.post(`/query/${randomUUID()}/feedback`, { thumb: 'sideways' });
    expect(status).toBe(422);
    for (const search of ['status=lost', 'since=yesterday', 'before=x', 'limit=0'])
      expect((await client.get(`/admin/queries?${search}`)).status, search).toBe(422);
  });
});

describeOnEachStore('the query log by default', {}, (open) => {
  it('keeps no question', async () => {
    const { client } = open().api;
    await client.ask('Is this kept?');
    const [entry] = await waitFor('the log to be written', async () => {
      const { body } = await client.get<ListView>('/admin/queries');
      return body.queries.length > 0 && body.queries;
    });
    expect(entry!.question).toBeNull();
    expect(JSON.stringify(entry)).not.toContain('kept');
  });
});

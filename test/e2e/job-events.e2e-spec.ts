import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { EventSource } from 'eventsource';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MockLlm } from '../mock-llm/index.js';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { embeddingsOf } from '../support/stores.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

let api: TestApi;
let models: MockLlm;
const closing: { close(): void }[] = [];

beforeAll(async () => {
  models = await MockLlm.start();
  api = await startTestApi(embeddingsOf(models));
});
afterEach(() => {
  models.release();
  for (const open of closing.splice(0)) open.close();
});
afterAll(async () => {
  await api?.close();
  await models?.close();
});

async function submit(): Promise<AcceptedView> {
  const text = `The bell of ${randomUUID()} rings at noon.`;
  return (await api.client.post<AcceptedView>('/index', { text })).body;
}

describe('GET /jobs/{id}/events', () => {
  interface Received {
    events: { id: number; job: JobView }[];
    /** The status of each answer to this client, of which the standard makes several. */
    statuses: number[];
    lastEventIds: (string | null)[];
    source: EventSource;
  }

  /** A client by the book: https://html.spec.whatwg.org/multipage/server-sent-events.html */
  function follow(jobId: string): Received {
    const received = { events: [], statuses: [], lastEventIds: [] } as Omit<Received, 'source'>;
    const source = new EventSource(`${api.url}/jobs/${jobId}/events`, {
      fetch: async (url, init) => {
        received.lastEventIds.push((init.headers as Record<string, string>)['Last-Event-ID'] ?? null);
        const response = await fetch(url, init);
        received.statuses.push(response.status);
        return response;
      },
    });
    source.addEventListener('job', ({ lastEventId, data }) => {
      received.events.push({ id: Number(lastEventId), job: JSON.parse(data as string) as JobView });
    });
    closing.push(source);
    return { ...received, source };
  }

  const statusesOf = ({ events }: Received) => events.map(({ job }) => job.status);

  it('sends the job with every change until it has ended, with growing ids', async () => {
    models.hold();
    const accepted = await submit();
    const received = follow(accepted.job_id);
    await waitFor('the job to be embedded', () => received.events.at(-1)?.job.stage === 'embed');
    models.release();
    await waitFor('the end', () => statusesOf(received).includes('ready'));
    const ids = received.events.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(received.events.at(-1)).toMatchObject({
      id: expect.any(Number),
      job: { status: 'ready', done: 1 },
    });
    expect(received.events.every(({ id, job }) => id === job.revision)).toBe(true);
  });

  it('tells a client that comes back after the end to come back no more', async () => {
    const accepted = await submit();
    await api.client.jobEnd(accepted);
    const received = follow(accepted.job_id);
    await waitFor('the client to give up', () => received.source.readyState === EventSource.CLOSED, 30_000);
    expect(statusesOf(received)).toEqual(['ready']);
    // The first answer had the end; the client then asked what is newer, as its standard says.
    expect(received.statuses).toEqual([200, 204]);
    expect(received.lastEventIds).toEqual([null, String(received.events[0]!.id)]);
  });

  it('sends only what a client that was cut off has not seen', async () => {
    models.hold();
    const accepted = await submit();
    const first = await api.client.jobWhen('embedded', accepted.job_id, ({ stage }) => stage === 'embed');
    const abort = new AbortController();
    const resumed = await fetch(`${api.url}/jobs/${accepted.job_id}/events`, {
      headers: { 'last-event-id': String(first.revision) },
      signal: abort.signal,
    });
    expect(resumed.headers.get('content-type')).toContain('text/event-stream');
    models.release();
    const text = await resumed.text();
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids.length).toBeGreaterThan(0);
    expect(Math.min(...ids)).toBeGreaterThan(first.revision);
    expect(text).toContain('"status":"ready"');
  });

  it('takes an id that it can not have given for none', async () => {
    const accepted = await submit();
    await api.client.jobEnd(accepted);
    for (const id of ['999999', '-1', 'abc', '']) {
      const reply = await fetch(`${api.url}/jobs/${accepted.job_id}/events`, {
        headers: { 'last-event-id': id },
      });
      expect(await reply.text(), id).toContain('"status":"ready"');
    }
  });

  it('answers with a comment first, so that proxies pass the headers on', async () => {
    models.hold();
    const accepted = await submit();
    const abort = new AbortController();
    const reply = await fetch(`${api.url}/jobs/${accepted.job_id}/events`, { signal: abort.signal });
    const { value } = await reply.body!.getReader().read();
    expect(new TextDecoder().decode(value)).toMatch(/^: connected\n\n/);
    expect(reply.headers.get('x-accel-buffering')).toBe('no');
    expect(reply.headers.get('cache-control')).toContain('no-cache');
    abort.abort();
  });

  it('forgets clients that are gone', async () => {
    models.hold();
    const accepted = await submit();
    // As many as may follow at a time, over and over.
    for (let round = 0; round < 3; round += 1) {
      const abort = new AbortController();
      const replies = await Promise.all(
        Array.from({ length: 400 }, () =>
          fetch(`${api.url}/jobs/${accepted.job_id}/events`, { signal: abort.signal }),
        ),
      );
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
      abort.abort();
      await Promise.allSettled(replies.map((reply) => reply.text()));
    }
    models.release();
    expect((await api.client.jobEnd(accepted)).status).toBe('ready');
  });

  it('tells that the job is gone with its document', async () => {
    models.hold();
    const accepted = await submit();
    const reply = await fetch(`${api.url}/jobs/${accepted.job_id}/events`);
    expect(await api.client.delete(`/documents/${accepted.document_id}`)).toBe(204);
    expect(await reply.text()).toContain(`event: gone\ndata: {"job_id":"${accepted.job_id}"}`);
  });

  it('answers 404 and 422 before any event', async () => {
    expect((await api.client.get(`/jobs/${randomUUID()}/events`)).status).toBe(404);
    expect((await api.client.get('/jobs/42/events')).status).toBe(422);
  });
});

describe('/ws', () => {
  type Message =
    | { type: 'job'; id: number; job: JobView }
    | { type: 'error'; code: string; detail: string; job_id?: string };

  async function connect() {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/ws`);
    closing.push(socket);
    const messages: Message[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
    await once(socket, 'open');
    const send = (message: unknown) =>
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    const jobs = () => messages.flatMap((message) => (message.type === 'job' ? [message.job] : []));
    const errors = () => messages.flatMap((message) => (message.type === 'error' ? [message] : []));
    return { socket, send, messages, jobs, errors };
  }

  it('tells of the jobs that were subscribed, until they end', async () => {
    models.hold();
    const [one, two, other] = [await submit(), await submit(), await submit()];
    const { send, jobs } = await connect();
    for (const { job_id } of [one, two]) send({ type: 'subscribe', job_id });
    await waitFor('both jobs', () => new Set(jobs().map(({ job_id }) => job_id)).size === 2);
    models.release();
    for (const { job_id } of [one, two]) {
      await waitFor('its end', () => jobs().some((job) => job.job_id === job_id && job.status === 'ready'));
    }
    expect(jobs().map(({ job_id }) => job_id)).not.toContain(other.job_id);
  });

  it('resumes after the last event that the client names, and always tells the end', async () => {
    models.hold();
    const accepted = await submit();
    const seen = await api.client.jobWhen('embedded', accepted.job_id, ({ stage }) => stage === 'embed');
    const { send, jobs } = await connect();
    send({ type: 'subscribe', job_id: accepted.job_id, last_event_id: seen.revision });
    models.release();
    await waitFor('the end', () => jobs().at(-1)?.status === 'ready');
    expect(jobs().every(({ revision }) => revision > seen.revision)).toBe(true);
    const late = await connect();
    late.send({ type: 'subscribe', job_id: accepted.job_id, last_event_id: jobs().at(-1)!.revision });
    await waitFor('the end once more', () => late.jobs().at(-1)?.status === 'ready');
  });

  it('tells nothing any more of a job that was unsubscribed', async () => {
    models.hold();
    const [silent, loud] = [await submit(), await submit()];
    const { send, jobs } = await connect();
    for (const { job_id } of [silent, loud]) send({ type: 'subscribe', job_id });
    await waitFor('both jobs', () => new Set(jobs().map(({ job_id }) => job_id)).size === 2);
    send({ type: 'unsubscribe', job_id: silent.job_id });
    send({ type: 'unsubscribe', job_id: randomUUID() });
    send('an answer to this means that the lines before were read');
    await waitFor('them to be read', () => jobs().length > 0);
    models.release();
    await api.client.jobEnd(silent);
    await waitFor('the end of the other', () =>
      jobs().some(({ job_id, status }) => job_id === loud.job_id && status === 'ready'),
    );
    expect(jobs().some(({ job_id, status }) => job_id === silent.job_id && status === 'ready')).toBe(false);
  });

  it('answers what it does not understand with an error, and goes on', async () => {
    const { socket, send, errors, jobs } = await connect();
    const unknown = randomUUID();
    send('{broken');
    send({ type: 'shout' });
    send({ type: 'subscribe', job_id: '42' });
    send({ type: 'subscribe', job_id: unknown, extra: 1 });
    socket.send(Buffer.from([1, 2, 3]));
    await waitFor('five errors', () => errors().length === 5);
    expect(new Set(errors().map(({ code }) => code))).toEqual(new Set(['invalid_request']));
    send({ type: 'subscribe', job_id: unknown });
    await waitFor('the answer', () => errors().length === 6);
    expect(errors().at(-1)).toMatchObject({ code: 'job_not_found', job_id: unknown });
    const accepted = await submit();
    send({ type: 'subscribe', job_id: accepted.job_id });
    await waitFor('the end', () => jobs().at(-1)?.status === 'ready');
  });

  it('follows at most 100 jobs for one connection', async () => {
    models.hold();
    const accepted = await submit();
    const { send, errors, jobs } = await connect();
    const documents = Array.from({ length: 100 }, (_, n) => ({ text: `${randomUUID()} ${n}` }));
    const batch = await api.client.post<{ job_id: string }>('/index/batch', { documents });
    const { body } = await api.client.get<{ jobs: JobView[] }>(`/jobs?parent=${batch.body.job_id}&limit=200`);
    for (const { job_id } of body.jobs) send({ type: 'subscribe', job_id });
    send({ type: 'subscribe', job_id: accepted.job_id });
    await waitFor('the refusal', () => errors().length > 0);
    expect(errors()).toMatchObject([{ code: 'too_many_followers', job_id: accepted.job_id }]);
    // One goes, another may come.
    send({ type: 'unsubscribe', job_id: body.jobs[0]!.job_id });
    send({ type: 'subscribe', job_id: accepted.job_id });
    await waitFor('the job', () => jobs().some(({ job_id }) => job_id === accepted.job_id));
    models.release();
    await api.client.jobEnd(batch.body);
  });

  it('closes a connection that sends too much at once', async () => {
    const { socket, send } = await connect();
    socket.on('error', () => undefined);
    send('x'.repeat(64 * 1024));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1009);
  });

  it('answers a plain request with a problem', async () => {
    const reply = await api.client.get('/ws');
    expect(reply.status).toBe(404);
    expect((await api.client.get('/ready')).status).toBe(200);
  });
});

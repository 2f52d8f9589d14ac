import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { WebSocket } from 'ws';
import { openStream, readAll } from '../support/event-stream.js';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { embeddingsOf } from '../support/stores.js';
import { ServerProcess } from '../support/server-process.js';
import { waitFor } from '../support/wait-for.js';

let folder: string;
const started: ServerProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-life-'));
});
afterEach(async () => {
  for (const server of started.splice(0)) server.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function start(environment: Record<string, string> = {}): ServerProcess {
  const server = ServerProcess.spawn({ DATA_DIR: join(folder, 'data'), ...environment });
  started.push(server);
  return server;
}

function run(...args: string[]): ServerProcess {
  const server = ServerProcess.run(args, { DATA_DIR: join(folder, 'data') });
  started.push(server);
  return server;
}

describe('the service as a process', () => {
  it('keeps everything over a restart, and stops within 10 s at SIGTERM', async () => {
    const first = start();
    const client = await first.ready();
    const { document_id } = await client.indexText('The library opens at nine and closes at six.');
    expect(await first.stop()).toBeLessThan(10_000);
    expect(first.exitCode).toBe(0);

    const again = await start().ready();
    expect((await again.get(`/documents/${document_id}`)).status).toBe(200);
    const { body } = await again.ask('When does the library open?');
    expect(body.answer).toContain('nine');
  });

  it('loses no accepted document to kill -9, and indexes each exactly once afterwards', async () => {
    const first = start();
    const client = await first.ready();
    const accepted: AcceptedView[] = [];
    for (let number = 0; number < 12; number += 1) {
      const reply = await client.post<AcceptedView>('/index', {
        text: `Locker ${number} belongs to person ${number}.`,
      });
      expect(reply.status).toBe(202);
      accepted.push(reply.body);
    }
    await waitFor('the first job to be done', async () => {
      const { body } = await client.get<JobView>(`/jobs/${accepted[0]!.job_id}`);
      return body.status === 'ready';
    });
    await first.stop('SIGKILL');

    const again = await start().ready(); // the dead process's lock is no obstacle
    for (const job of accepted) expect((await again.jobEnd(job)).status).toBe('ready');
    const { body } = await again.get<{ documents: { document_id: string; chunk_count: number }[] }>(
      '/documents',
    );
    expect(body.documents).toHaveLength(12);
    expect(body.documents.every(({ chunk_count }) => chunk_count === 1)).toBe(true);
  }, 120_000);

  it('finishes a running request before it stops, and refuses new connections meanwhile', async () => {
    const models = await MockLlm.start();
    models.responder = () => 'The museum opens at ten [1].';
    models.faults.push({ delayMs: 1_500 });
    const server = start({ CHAT_BASE_URL: models.url, CHAT_MODEL: 'slow' });
    const client = await server.ready();
    await client.indexText('The museum opens at ten.');
    const answer = client.ask('When does the museum open?');
    await waitFor('the model to be asked', () => models.requests.length > 0);
    const stopped = server.stop();
    await waitFor('the service to close its door', () =>
      fetch(`${client.url}/health`).then(
        () => false,
        () => true,
      ),
    );
    expect(server.exitCode).toBeNull(); // closed to new ones while the answer is still on its way
    expect((await answer).body).toMatchObject({ status: 'answered', answer: 'The museum opens at ten [1].' });
    expect(await stopped).toBeLessThan(10_000);
    expect(server.exitCode).toBe(0);
    await models.close();
  });

  it('ends at SIGTERM under load without a failed request: streams end whole or with an error that says so', async () => {
    const models = await MockLlm.start();
    models.responder = () =>
      `${'It opens at ten, and closes at six. '.repeat(40)}The museum opens at ten [1].`;
    models.script.push({ path: '/chat/completions', fault: { betweenTokensMs: 100 }, times: 0 });
    const server = start({ CHAT_BASE_URL: models.url, CHAT_MODEL: 'slow', HTTP_DRAIN_MS: '1000' });
    const client = await server.ready();
    await client.indexText('The museum opens at ten.');
    const question = 'When does the museum open?';
    const streams = await Promise.all(
      Array.from({ length: 20 }, () =>
        openStream(`${client.url}/query/stream`, { body: { question, cache: false } }),
      ),
    );
    const ends = Promise.all(streams.map(async (stream) => (await readAll(stream)).at(-1)!));
    // As a load balancer does it: whoever is no longer ready gets no more requests.
    const load = { isReady: true, statuses: [] as number[] };
    const send = async () => {
      while (load.isReady) {
        const { status } = await client.post('/search', { question, mode: 'lexical' });
        load.statuses.push(status);
      }
    };
    const sending = Promise.all(Array.from({ length: 16 }, send));
    await waitFor('some answers', () => load.statuses.length > 50);
    const stopped = server.stop();
    await waitFor(
      'the service to say that it stops',
      async () => (await client.get('/ready')).status === 503,
    );
    load.isReady = false;
    await sending;
    expect(load.statuses.filter((status) => status !== 200)).toEqual([]);
    for (const { event, data } of await ends) {
      if (event === 'error') expect(data).toContain('"code":"shutting_down"');
      else expect(event).toBe('final');
    }
    expect(await stopped).toBeLessThan(11_000); // with its second of draining
    expect(server.exitCode).toBe(0);
    await models.close();
  });

  it('ends streams of job events at SIGTERM, so that nobody holds it up', async () => {
    const models = await MockLlm.start();
    const server = start(embeddingsOf(models));
    const client = await server.ready();
    models.hold();
    const { body } = await client.post<AcceptedView>('/index', { text: 'It takes its time.' });
    const events = await fetch(`${client.url}/jobs/${body.job_id}/events`);
    const socket = new WebSocket(`${client.url.replace('http', 'ws')}/ws`);
    await once(socket, 'open');
    const idle = new WebSocket(`${client.url.replace('http', 'ws')}/ws`);
    await once(idle, 'open');
    socket.send(JSON.stringify({ type: 'subscribe', job_id: body.job_id }));
    await once(socket, 'message');
    const closed = Promise.all([once(socket, 'close'), once(idle, 'close')]);
    const took = server.stop();
    expect(await events.text()).toContain('"status":');
    await closed;
    expect(await took).toBeLessThan(9_000);
    expect(server.exitCode).toBe(0);
    await models.close();
  });

  it('says which process holds the data folder, and leaves it alone', async () => {
    const first = start();
    const client = await first.ready();
    const second = start();
    await second.ended();
    expect(second.exitCode).toBe(1);
    expect(second.output).toContain(`in use by another Ragstone (process ${first.child.pid})`);
    expect(second.output).toContain('DATA_DIR');
    expect((await client.get('/ready')).status).toBe(200);
  });

  it('says that the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const { port } = other.address() as AddressInfo;
    const server = start({ PORT: String(port) });
    await server.ended();
    other.close();
    expect(server.exitCode).toBe(1);
    expect(server.output).toContain(`Port ${port} on 127.0.0.1 is taken`);
  });

  it('says that the data folder can not be written', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const server = start({ DATA_DIR: join(file, 'data') }); // root may write everywhere, but not below a file
    await server.ended();
    expect(server.exitCode).toBe(1);
    expect(server.output).toContain(`can't be written`);
    expect(server.output).toContain('DATA_DIR');
  });

  it('lists every problem of the configuration at once', async () => {
    const server = start({
      PORT: 'abc',
      LOG_LEVEL: 'loud',
      CHUNK_TOKENS_MAX: '1',
      DATABASE_URL: 'mysql://x',
    });
    await server.ended();
    expect(server.exitCode).toBe(1);
    for (const name of ['PORT', 'LOG_LEVEL', 'CHUNK_TOKENS_MAX', 'DATABASE_URL'])
      expect(server.output).toContain(name);
  });

  it('says what to check when the database server does not answer', async () => {
    const server = start({ DATABASE_URL: 'postgresql://nobody:secret@127.0.0.1:1/none' });
    await server.ended();
    expect(server.exitCode).toBe(1);
    expect(server.output).toContain('127.0.0.1:1/none does not answer');
    expect(server.output).not.toContain('secret');
  });
});

describe('ragstone migrate', () => {
  it('makes the database, does nothing the second time, and refuses a folder in use', async () => {
    const first = run('dist/apps/cli/src/main.js', 'migrate');
    await first.ended();
    expect(first).toMatchObject({ exitCode: 0, output: expect.stringContaining('Applied 0001_corpus.sql') });
    const second = run('dist/apps/cli/src/main.js', 'migrate');
    await second.ended();
    expect(second).toMatchObject({ exitCode: 0, output: expect.stringContaining('up to date') });

    await start().ready();
    const third = run('dist/apps/cli/src/main.js', 'migrate');
    await third.ended();
    expect(third).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('in use by another Ragstone'),
    });
  });
});

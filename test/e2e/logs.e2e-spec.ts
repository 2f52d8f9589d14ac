import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServerProcess } from '../support/server-process.js';
import { waitFor } from '../support/wait-for.js';

type Line = Record<string, unknown>;

const SECRET = 'Bearer abcdefghijklmnop.qrstuvwxyz';

let folder: string;
const started: ServerProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-logs-'));
});
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}) {
  const server = ServerProcess.spawn({ DATA_DIR: join(folder, 'data'), ...environment });
  started.push(server);
  return { server, client: await server.ready() };
}

function linesOf({ output }: ServerProcess): Line[] {
  return output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
}

async function lineOf(server: ServerProcess, requestId: string): Promise<Line> {
  return waitFor(`the line of ${requestId}`, () =>
    linesOf(server).find((line) => line.request_id === requestId && line.route !== undefined),
  );
}

describe('the log', () => {
  it('has one line a request with what an operator asks for, and no question', async () => {
    const { server, client } = await start();
    await client.indexText('The archive room opens with code 4711.');
    const question = 'With which code does the archive room open?';
    const headers = { 'x-request-id': 'mine-1', authorization: SECRET };
    await client.post('/query', { question, user_id: 'ada' }, headers);
    const line = await lineOf(server, 'mine-1');
    expect(line).toMatchObject({
      level: 'info',
      msg: expect.stringMatching(/^POST \/query 200 \d+ ms$/) as string,
      request_id: 'mine-1',
      method: 'POST',
      route: '/query',
      path: '/query',
      status: 200,
      user_id: 'ada',
      answer_status: 'answered',
      model: 'extractive',
      cache: 'miss',
      tokens: { input: 0, output: 0 },
      cost_micro_usd: 0,
      latency_ms: expect.any(Number) as number,
    });
    expect(line.timings_ms).toMatchObject({
      embed: expect.any(Number) as number,
      total: expect.any(Number) as number,
    });
    expect(linesOf(server).filter(({ request_id }) => request_id === 'mine-1')).toHaveLength(1);

    await client.post(
      '/query',
      { question: 'Who won the cup?', collection: 'not-there' },
      { 'x-request-id': 'mine-2' },
    );
    expect(await lineOf(server, 'mine-2')).toMatchObject({
      status: 404,
      answer_status: 'failed',
      level: 'info',
    });
    await client.get('/health');
    await client.get('/documents/not-a-uuid?secret=1');
    await waitFor('the line of the document', () =>
      linesOf(server).some(({ route }) => route === '/documents/:id'),
    );
    expect(server.output).not.toContain(question);
    expect(server.output).not.toContain('secret=1');
    expect(server.output).not.toContain('abcdefghijklmnop');
    expect(linesOf(server).some(({ route }) => route === '/health')).toBe(false); // at level debug
  });

  it('has the question too where that is wanted', async () => {
    const { server, client } = await start({ LOG_QUESTIONS: 'true' });
    await client.post('/query', { question: 'Is this kept?' }, { 'x-request-id': 'mine-3' });
    expect(await lineOf(server, 'mine-3')).toMatchObject({ question: 'Is this kept?' });
  });

  it('changes its level while it runs, and back by itself', async () => {
    const { server, client } = await start({ LOG_LEVEL: 'warn' });
    await client.get('/collections');
    const put = async (body: object) => {
      const response = await fetch(`${client.url}/admin/log-level`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Line };
    };
    expect(await put({ level: 'debug', for_seconds: 1 })).toMatchObject({
      status: 200,
      body: { level: 'debug', configured: 'warn', process: { pid: server.child.pid } },
    });
    await client.get('/health');
    await waitFor('a line at level debug', () => linesOf(server).some(({ route }) => route === '/health'));
    await waitFor('the configured level to be back', async () => {
      const { body } = await client.get('/admin/log-level');
      return body.level === 'warn' && body.resets_at === null;
    });
    expect((await put({ level: 'loud' })).status).toBe(422);
    expect(linesOf(server).some(({ route }) => route === '/collections')).toBe(false);
  });

  it('is readable in a terminal', async () => {
    const { server, client } = await start({ LOG_FORMAT: 'pretty' });
    await client.ask('Is anybody there?');
    const line = await waitFor('the line', () => /^.*POST \/query 200 \d+ ms.*$/m.exec(server.output)?.[0]);
    expect(line).toContain('INFO');
    expect(line.startsWith('{')).toBe(false);
  });
});

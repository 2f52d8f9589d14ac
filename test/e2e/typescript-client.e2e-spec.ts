import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import {
  type AnswerEvent,
  createRagstone,
  type Ragstone,
  RagstoneError,
} from '../../clients/typescript/src/index.js';
import { MockLlm } from '../mock-llm/index.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

let api: TestApi;
let models: MockLlm;
let ragstone: Ragstone;

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';

beforeAll(async () => {
  models = await MockLlm.start();
  models.responder = () => `Every 500 hours [1: "${sentence}"].`;
  api = await startTestApi({ CHAT_BASE_URL: models.url, CHAT_MODEL: 'writer' });
  ragstone = createRagstone({ baseUrl: `${api.url}/` });
});
afterAll(async () => {
  await api?.close();
  await models?.close();
});

async function collect(events: AsyncIterable<AnswerEvent>): Promise<AnswerEvent[]> {
  const all: AnswerEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const textOf = (events: AnswerEvent[]) =>
  events.map(({ event, data }) => (event === 'token' ? data.text : '')).join('');

it('is in step with the description of the service: npm run client:generate', async () => {
  const { body } = await api.client.get('/openapi.json');
  const types = await openapiTS(JSON.stringify(body), { defaultNonNullable: false, alphabetize: true });
  await expect(COMMENT_HEADER + astToString(types)).toMatchFileSnapshot(
    join(projectFolder, 'clients/typescript/src/schema.ts'),
  );
});

describe('against a running service', () => {
  it('indexes, follows the job, asks and reads, typed', async () => {
    const { data: accepted } = await ragstone.POST('/index', { body: { title: 'Pumps', text: sentence } });
    const id = accepted!.job_id!;
    expect((await api.client.jobEnd({ job_id: id })).status).toBe('ready');
    const { data: job } = await ragstone.GET('/jobs/{id}', { params: { path: { id } } });
    expect(job!.status).toBe('ready');
    const { data: answer } = await ragstone.POST('/query', { body: { question } });
    expect(answer!.answer).toBe('Every 500 hours [1].');
    expect(answer!.citations[0]!.quote).toBe(sentence);
    const path = { id: answer!.citations[0]!.document_id };
    const { data: text } = await ragstone.GET('/documents/{id}/text', { params: { path } });
    expect(text!.text).toContain(sentence);
    const { data: list } = await ragstone.GET('/v1/models');
    expect(list!.data.map((model) => model.id)).toContain('ragstone');
  });

  it('throws what the service refuses, with its code', async () => {
    const asked = ragstone.POST('/query', { body: { question, collection: 'nowhere' } });
    await expect(asked).rejects.toMatchObject({ code: 'collection_not_found', status: 404 });
    await expect(asked).rejects.toBeInstanceOf(RagstoneError);
    await expect(collect(ragstone.ask({ question: '' }))).rejects.toMatchObject({ code: 'invalid_request' });
    const chat = ragstone.POST('/v1/chat/completions', {
      body: { model: 'gpt-99', messages: [{ role: 'user', content: 'Hi' }] },
    });
    await expect(chat).rejects.toMatchObject({ code: 'model_not_found', status: 404 });
  });

  it('hands out the events of an answer', async () => {
    const events = await collect(ragstone.ask({ question }));
    expect(events[0]!.event).toBe('search_results');
    expect(events.at(-1)).toMatchObject({ event: 'final', data: { status: 'answered' } });
    expect(textOf(events)).toBe('Every 500 hours [1].');
  });

  it('takes an answer up again where the connection broke, without losing or doubling a word', async () => {
    let connections = 0;
    /** Cuts the first connection after its first token. */
    const proxy = createServer((request, response) => {
      connections += 1;
      const isFirst = connections === 1;
      const { method, headers, url } = request;
      const upstream = httpRequest(api.url + url!, { method: method!, headers }, (reply) => {
        response.writeHead(reply.statusCode!, reply.headers);
        reply.on('data', (bytes: Buffer) => {
          const end = isFirst ? bytes.indexOf('event: token') : -1;
          if (end < 0) response.write(bytes);
          else response.write(bytes.subarray(0, end + 60), () => response.destroy());
        });
        reply.on('end', () => response.end());
        reply.on('error', () => response.destroy());
      });
      upstream.on('error', () => response.destroy());
      request.pipe(upstream);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    models.behave = () => ({ betweenTokensMs: 30 });
    const { port } = proxy.address() as AddressInfo;
    const behind = createRagstone({ baseUrl: `http://127.0.0.1:${port}` });
    const events = await collect(behind.ask({ question, resumable: true, cache: false }));
    expect(connections).toBeGreaterThan(1);
    expect(textOf(events)).toBe('Every 500 hours [1].');
    expect(events.filter(({ event }) => event === 'search_results')).toHaveLength(1);
    proxy.closeAllConnections();
    proxy.close();
  });
});

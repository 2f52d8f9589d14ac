import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '#libs/config';
import { startTracing } from '#libs/tracing';
import { MockLlm } from '../mock-llm/index.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { type ReceivedRun, type ReceivedSpan, TraceReceiver } from '../support/trace-receiver.js';
import { waitFor } from '../support/wait-for.js';

const SERVER = 2;
const CLIENT = 3;
const CONSUMER = 5;
const question = 'How often does the pump P-100 need an oil change?';

let receiver: TraceReceiver;
let model: MockLlm;
let api: TestApi;
let endTracing: () => Promise<void>;

beforeAll(async () => {
  receiver = await TraceReceiver.start();
  model = await MockLlm.start();
  const { tracing } = readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_TRACES_SAMPLER_ARG: '0', // only what a caller has begun and keeps
    LANGSMITH_TRACING: 'true',
    LANGSMITH_ENDPOINT: receiver.url,
    LANGSMITH_API_KEY: 'lsv2_test_0123456789',
    LANGSMITH_PROJECT: 'pumps',
  });
  endTracing = await startTracing(tracing, { role: 'api', version: '0' });
  api = await startTestApi({
    CHAT_BASE_URL: model.url,
    CHAT_MODEL: 'big',
    EMBEDDINGS_BASE_URL: model.url,
    EMBEDDINGS_MODEL: 'letters',
    EMBEDDINGS_DIMENSIONS: '8',
  });
  await api.client.indexText('The pump P-100 needs an oil change every 500 hours.', { title: 'Pumps' });
});
afterAll(async () => {
  await api?.close();
  await endTracing?.();
  await model?.close();
  await receiver?.close();
});

function newTrace(isKept: boolean) {
  const traceId = randomBytes(16).toString('hex');
  const parentId = randomBytes(8).toString('hex');
  return { traceId, parentId, headers: { traceparent: `00-${traceId}-${parentId}-0${isKept ? 1 : 0}` } };
}

const spansOf = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);
const named = (spans: ReceivedSpan[], name: string) => spans.find((span) => span.name === name)!;

it("goes on with a caller's trace: the request, the question, its stages, the model's call, and on to the provider", async () => {
  const { traceId, parentId, headers } = newTrace(true);
  const { body } = await api.client.post<{ request_id: string }>('/query', { question }, headers);
  const spans = await waitFor('the spans', () => {
    const found = spansOf(traceId);
    return found.some(({ name }) => name === 'POST /query') && found;
  });
  const request = named(spans, 'POST /query');
  expect(request).toMatchObject({ kind: SERVER, parentSpanId: parentId, service: 'ragstone-api' });
  expect(request.attributes).toMatchObject({
    'http.route': '/query',
    'http.response.status_code': 200,
    'ragstone.request_id': body.request_id,
  });
  const asked = named(spans, 'question');
  expect(asked).toMatchObject({
    parentSpanId: request.spanId,
    attributes: { 'ragstone.status': 'answered' },
  });
  const retrieve = named(spans, 'retrieve');
  expect(retrieve.parentSpanId).toBe(asked.spanId);
  for (const name of ['vector search', 'lexical search', 'rerank'])
    expect(named(spans, name)?.parentSpanId, name).toBe(retrieve.spanId);
  const chat = named(spans, 'chat big');
  expect(chat).toMatchObject({ kind: CLIENT, parentSpanId: asked.spanId });
  expect(chat.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'big',
    'gen_ai.response.model': 'big-2026',
    'gen_ai.response.finish_reasons': ['stop'],
    'server.address': '127.0.0.1',
  });
  expect(chat.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0);
  expect(chat.attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0);
  const sent = model.requests.findLast(({ path }) => path.endsWith('/chat/completions'))!;
  expect(sent.headers.traceparent).toBe(`00-${traceId}-${chat.spanId}-01`);
  expect(receiver.otlpText).not.toContain(question);
  expect(receiver.otlpText).not.toContain('500 hours');
});

it('leads from a bucket of the latency histogram to the trace of an answer in it', async () => {
  const { traceId, headers } = newTrace(true);
  await api.client.post('/query', { question, cache: false }, headers);
  const response = await fetch(`${api.client.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('application/openmetrics-text');
  const buckets = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('langchain_query_duration_seconds_bucket'));
  const exemplar = buckets.find((line) => line.includes(traceId));
  expect(exemplar).toMatch(new RegExp(`# \\{trace_id="${traceId}"\\} [\\d.]+ [\\d.]+$`));
});

it('joins the trace with the log of questions', async () => {
  const { traceId, headers } = newTrace(true);
  const { body } = await api.client.post<{ request_id: string }>('/query', { question }, headers);
  const entry = await waitFor('the entry', async () => {
    const list = await api.client.get<{ queries: { request_id: string; trace_id: string | null }[] }>(
      '/admin/queries',
    );
    return list.body.queries.find(({ request_id }) => request_id === body.request_id);
  });
  expect(entry.trace_id).toBe(traceId);
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(metrics).toMatch(
    /langchain_query_duration_seconds_bucket\{[^}]*\} \d+ # \{trace_id="[0-9a-f]{32}"\}/,
  );
});

it('goes through the queue: the job belongs to the request that accepted its document', async () => {
  const { traceId, headers } = newTrace(true);
  const accepted = await api.client.post<{ job_id: string }>('/index', { text: 'Pumps are blue.' }, headers);
  await api.client.jobEnd(accepted.body);
  const job = await waitFor('the span of the job', () => {
    const found = named(spansOf(traceId), 'process index-document');
    return found;
  });
  expect(job).toMatchObject({
    kind: CONSUMER,
    attributes: {
      'messaging.message.id': accepted.body.job_id,
      'messaging.destination.name': 'index-document',
    },
  });
  expect(named(spansOf(traceId), 'embeddings letters')).toBeDefined();
});

it('sends no span of a trace that its caller does not keep, and LangSmith gets every question', async () => {
  const { traceId, headers } = newTrace(false);
  receiver.runs.clear();
  await api.client.post('/query', { question: `${question} Please.` }, headers);
  const runs = await waitFor('the run tree', () => {
    const found = [...receiver.runs.values()];
    const isComplete = found.length >= 3 && found.every(({ end_time }) => end_time);
    return isComplete && found.some(({ run_type }) => run_type === 'llm') && found;
  });
  const root = runs.find(({ parent_run_id }) => !parent_run_id)!;
  expect(root).toMatchObject({
    name: 'question',
    run_type: 'chain',
    session_name: 'pumps',
    inputs: { question: `${question} Please.` },
  });
  expect(JSON.stringify(root.outputs)).toContain('500 hours');
  const child = (type: string): ReceivedRun => runs.find(({ run_type }) => run_type === type)!;
  expect(child('retriever')).toMatchObject({ parent_run_id: root.id, trace_id: root.id });
  expect(child('llm')).toMatchObject({ name: 'chat big', parent_run_id: root.id });
  expect(JSON.stringify(child('llm').inputs)).toContain(question);
  expect(child('llm').outputs!.usage_metadata).toMatchObject({ input_tokens: expect.any(Number) as number });
  expect(new Set(receiver.apiKeys)).toEqual(new Set(['lsv2_test_0123456789']));
  expect(spansOf(traceId)).toEqual([]);
});

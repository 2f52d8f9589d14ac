import { expect, it } from 'vitest';
import { RagError } from '#libs/errors';
import { activeQueries } from '#libs/metrics';
import type { QueryLogEntry } from './query-log/query-log-entry.js';
import { type ObservedAnswer, QueryObserver } from './query-observer.js';
import { runInRequest } from './request-context.js';

const question = { question: 'When?', collection: 'default', mode: 'hybrid', requestId: 'r1' };
const answer: ObservedAnswer = {
  text: 'At nine.',
  status: 'answered',
  degradedReasons: [],
  model: 'm',
  cache: 'miss',
  tokens: { input: 5, output: 2 },
  costMicroUsd: 3,
  sources: [{ chunks: [{ id: 'c1' }, { id: 'c2' }] }],
  timings: { embedMs: 1.234, totalMs: 9 },
};

function observing(keepsQuestions = false) {
  const entries: QueryLogEntry[] = [];
  const observer = new QueryObserver({ record: (entry) => entries.push(entry) }, { keepsQuestions });
  return { observer, entries };
}

async function* events(count: number, failure?: Error) {
  for (let index = 0; index < count; index += 1) yield index;
  if (failure) throw failure;
}

const active = async () => (await activeQueries.get()).values[0]!.value;

it('logs an answer as it was given, and puts it on the line of its request', async () => {
  const { observer, entries } = observing();
  const context = { requestId: 'r1', notes: {} };
  await runInRequest(context, () => observer.observe(question, () => Promise.resolve(answer)));
  expect(entries).toMatchObject([
    {
      requestId: 'r1',
      status: 'answered',
      model: 'm',
      inputTokens: 5,
      chunkIds: ['c1', 'c2'],
      timings: { embed: 1.23, total: 9 },
      question: null,
    },
  ]);
  expect(context.notes).toMatchObject({ answer_status: 'answered', model: 'm', cost_micro_usd: 3 });
  expect(context.notes).not.toHaveProperty('question');
});

it('logs a failure with its code, and lets it pass', async () => {
  const { observer, entries } = observing(true);
  const failure = new RagError('model_unavailable', 'away');
  await expect(observer.observe(question, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(entries).toMatchObject([{ status: 'failed', errorCode: 'model_unavailable', question: 'When?' }]);
});

it('logs a stream once: by its answer, its failure, or its reader who left', async () => {
  const before = await active();
  const { observer, entries } = observing();
  const answerAt = (wanted: number) => (event: number) => (event === wanted ? answer : null);
  const seen: number[] = [];
  for await (const event of observer.observeStream(question, events(3), answerAt(2))) seen.push(event);
  expect(seen).toEqual([0, 1, 2]);
  await expect(async () => {
    for await (const _event of observer.observeStream(question, events(1, new Error('broke')), answerAt(9)));
  }).rejects.toThrow('broke');
  for await (const event of observer.observeStream(question, events(3), answerAt(2))) if (event === 1) break;
  expect(entries.map(({ status, errorCode }) => [status, errorCode])).toEqual([
    ['answered', null],
    ['failed', 'internal_error'],
    ['failed', 'client_closed_request'],
  ]);
  expect(await active()).toBe(before);
});

it('logs a search as one: what it found, nothing, less than it could, and a failure', async () => {
  const before = await active();
  const { observer, entries } = observing();
  const found = {
    degradedReasons: [] as string[],
    sources: [{ chunks: [{ id: 'c1' }] }],
    timings: { vectorMs: 2 },
    spent: { inputTokens: 4, outputTokens: 1, costMicroUsd: 5 },
  };
  await observer.observeSearch(question, () => Promise.resolve(found));
  await observer.observeSearch(question, () => Promise.resolve({ ...found, sources: [] }));
  await observer.observeSearch(question, () =>
    Promise.resolve({ ...found, degradedReasons: ['lexical_ts_rank'] }),
  );
  const failure = new RagError('model_unavailable', 'away');
  await expect(observer.observeSearch(question, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(entries.map(({ kind, status }) => [kind, status])).toEqual([
    ['search', 'answered'],
    ['search', 'no_evidence'],
    ['search', 'degraded'],
    ['search', 'failed'],
  ]);
  expect(entries[0]).toMatchObject({ model: null, inputTokens: 4, costMicroUsd: 5, chunkIds: ['c1'] });
  expect(await active()).toBe(before);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runAsTenant } from '#libs/database';
import { MockLlm } from '../../../../test/mock-llm/index.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import { OpenAiCompatibleEmbeddingModel } from '../adapters/openai-compatible/openai-compatible-embedding-model.js';
import { QuestionEmbeddings } from './question-embeddings.js';

const query = { kind: 'query' as const };

let server: MockLlm;
let model: QuestionEmbeddings;
beforeAll(async () => {
  server = await MockLlm.start();
});
afterAll(async () => {
  await model?.close();
  await server?.close();
});
beforeEach(async () => {
  await model?.close();
  server.reset();
  const inner = new OpenAiCompatibleEmbeddingModel({ baseUrl: server.url, model: 'letters', dimensions: 8 });
  model = new QuestionEmbeddings(inner, { textsMax: 32, waitMs: 60_000 });
});

const batches = () => server.requests.map(({ body }) => body.input as string[]);
const embedAll = (texts: string[]) => Promise.allSettled(texts.map((text) => model.embed([text], query)));
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `question ${n}`);

describe('QuestionEmbeddings', () => {
  it('sends a lone question at once, and what comes meanwhile together, 32 at a time', async () => {
    server.embeddingMs = 50;
    const first = model.embed(['alone'], query);
    await waitFor('the first to be sent', () => server.requests.length === 1);
    const rest = embedAll(numbered(70));
    await first;
    await rest;
    expect(batches().map(({ length }) => length)).toEqual([1, 32, 32, 6]);
  });

  it('waits for the running call no longer than it was told', async () => {
    await model.close();
    const inner = new OpenAiCompatibleEmbeddingModel({
      baseUrl: server.url,
      model: 'letters',
      dimensions: 8,
    });
    model = new QuestionEmbeddings(inner, { textsMax: 32, waitMs: 20 });
    server.faults.push({ never: true });
    const controller = new AbortController();
    const stuck = model.embed(['stuck'], { ...query, signal: controller.signal });
    await waitFor('the first to be sent', () => server.requests.length === 1);
    expect(await model.embed(['second'], query)).toHaveLength(1);
    controller.abort(new Error('gave up'));
    await expect(stuck).rejects.toThrow('gave up');
  });

  it('gives each question the vector that it gets alone', async () => {
    const texts = numbered(40);
    const together = await Promise.all(texts.map((text) => model.embed([text], query)));
    const inner = new OpenAiCompatibleEmbeddingModel({
      baseUrl: server.url,
      model: 'letters',
      dimensions: 8,
    });
    for (const [index, text] of texts.entries()) {
      expect(together[index]).toEqual(await inner.embed([text], query));
    }
    await inner.close();
  });

  it('isolates one poison text of 32: the other 31 get their vectors (row 16)', async () => {
    server.poison = 'question 17';
    const results = await embedAll(numbered(32));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(31);
    expect(results[17]).toMatchObject({ status: 'rejected', reason: { code: 'model_rejected_request' } });
    expect(server.requests.length).toBeLessThanOrEqual(11);
  });

  it('does not split a batch that failed for another reason', async () => {
    server.script.push({ fault: { wrongDimension: true }, times: 0 });
    const results = await embedAll(numbered(8));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it('rejects vectors with NaN and remembers none of them (row 15)', async () => {
    server.script.push({ fault: { nan: true }, times: 3 });
    await expect(model.embed(['a'], query)).rejects.toMatchObject({ code: 'model_unavailable' });
    expect(await model.embed(['a'], query)).toHaveLength(1);
  });

  it('lets tenants take turns: the 100 questions of one do not hold up the one of another', async () => {
    server.embeddingMs = 30;
    const [many, one] = [randomUUID(), randomUUID()];
    const first = runAsTenant(many, () => model.embed(['first'], query));
    await waitFor('the first to be sent', () => server.requests.length === 1);
    const flood = runAsTenant(many, () => embedAll(numbered(30)));
    const single = runAsTenant(one, () => model.embed(['mine'], query));
    const more = runAsTenant(many, () => embedAll(numbered(130).slice(30)));
    await Promise.all([first, flood, single, more]);
    expect(batches()[1]).toContain('mine');
    expect(batches()[1]!.indexOf('mine')).toBeLessThan(2);
  });

  it('remembers questions; documents go through as they come', async () => {
    await model.embed(['again'], query);
    await model.embed(['again'], query);
    expect(server.requests).toHaveLength(1);
    await model.embed(['again', 'and again'], { kind: 'document' });
    await model.embed(['again', 'and again'], { kind: 'document' });
    expect(server.requests).toHaveLength(3);
  });
});

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import type { AnswerView } from '../support/ragstone-client.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

const corpus = {
  Pump: 'The pump P-100 needs an oil change every 500 hours.',
  Valve: 'The relief valve of the boiler opens at twelve bar.',
  Canteen: 'The canteen serves fried fish on Fridays.',
};

let models: MockLlm;
let api: TestApi;

beforeAll(async () => {
  models = await MockLlm.start();
});
afterEach(() => api.close());
afterAll(() => models?.close());

/** Replies by what the model is asked to do. */
async function start(search: string, replies: Record<string, string>): Promise<void> {
  models.reset();
  models.responder = (messages) => {
    const told = JSON.stringify(messages);
    const task = Object.keys(replies).find((words) => told.includes(words));
    return task ? replies[task]! : 'The canteen serves fried fish on Fridays [1].';
  };
  const file = join(await mkdtemp(join(tmpdir(), 'ragstone-understanding-')), 'models.yaml');
  const priced = 'prices: [{ input: 1, output: 4 }]';
  await writeFile(
    file,
    `models:
  chat: { provider: openai, model: chat, base_url: "${models.url}", ${priced} }
  ranker: { provider: openai, kind: rerank, model: ranker, base_url: "${models.url}" }
chains: { default: [chat, extractive] }
search: ${search}
`,
  );
  api = await startTestApi({ MODELS_FILE: file });
  for (const [title, text] of Object.entries(corpus)) await api.client.indexText(text, { title });
}

const ask = async (question: string) =>
  (
    await api.client.post<AnswerView & { explain: { search_texts: string[] } }>('/query', {
      question,
      explain: true,
      mode: 'lexical',
      top_k: 3,
    })
  ).body;

describe('what is searched for besides the question', () => {
  it("other wordings: they find what the words of the question miss, and their cost is the answer's", async () => {
    await start('{ multi_query: 2 }', { 'other wordings': '1. fried fish\n- meals on Fridays' });
    const body = await ask('Wann gibt es Seelachs?');
    expect(body.explain.search_texts).toEqual(['Wann gibt es Seelachs?', 'fried fish', 'meals on Fridays']);
    expect(body.sources[0]!.title).toBe('Canteen');
    const { inputTokens, outputTokens } = models.bill;
    expect(body.cost.micro_usd).toBe(inputTokens + 4 * outputTokens);
  });

  it('the parts of a question, by a model or by its question marks', async () => {
    await start('{ decompose: model }', {
      'different documents': 'What needs oil?\nWhen does the valve open?',
    });
    const byModel = await ask('Compare pump and valve');
    expect(byModel.explain.search_texts).toHaveLength(3);
    await api.close();
    await start('{ decompose: rules }', {});
    const byRules = await ask('What does the pump need? And when does the relief valve open?');
    expect(byRules.explain.search_texts.slice(1)).toEqual([
      'What does the pump need?',
      'And when does the relief valve open?',
    ]);
    expect(
      byRules.sources
        .slice(0, 2)
        .map(({ title }) => title)
        .sort(),
    ).toEqual(['Pump', 'Valve']);
  });

  it('the question alone when the model fails', async () => {
    await start('{ multi_query: 3, decompose: model, hyde: true }', {});
    models.script.push({ fault: { status: 400 }, times: 0 });
    expect((await ask('When does the canteen serve fish?')).explain.search_texts).toHaveLength(1);
  });
});

describe('ranking anew', () => {
  it('follows the chat model that names the best, and keeps the order when it does not', async () => {
    await start('{ rerank: default }', { 'rank passages': '3, 1' });
    const question = 'pump oil valve boiler canteen';
    const reranked = (await ask(question)).sources.map(({ title }) => title);
    models.script.push({ fault: { status: 400 }, times: 1 });
    const plain = await ask(question);
    expect(plain.degraded_reasons).toContain('rerank_unavailable');
    const order = plain.sources.map(({ title }) => title);
    expect(reranked).toEqual([order[2], order[0], order[1]]);
  });

  it('follows the scores of a cross-encoder', async () => {
    await start('{ rerank: ranker }', {});
    const { sources } = await ask('pump oil valve boiler canteen');
    expect(models.requests.filter(({ path }) => path.endsWith('/rerank'))).toHaveLength(1);
    const scores = sources.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });
});

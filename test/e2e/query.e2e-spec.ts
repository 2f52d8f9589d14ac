import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { MockLlm } from '../mock-llm/index.js';
import type { AnswerView, RagstoneClient } from '../support/ragstone-client.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

const corpus = {
  'Pump manual':
    'The pump P-100 needs an oil change every 500 hours.\n\nUse ISO VG 46 oil for the pump P-100.',
  'Safety sheet': 'Wear gloves when you handle hydraulic oil. Spilled oil must be bound with sand.',
  Kantine: '# 食堂\n\n食堂每天中午十一点半开门。周五供应红烧鱼。',
};

async function expectCitationsToStand(client: RagstoneClient, { citations }: AnswerView): Promise<void> {
  for (const citation of citations) {
    const { text, chunks } = await client.content(citation.document_id);
    expect(text.slice(citation.char_start, citation.char_end)).toBe(citation.quote);
    const chunk = chunks.find(({ chunk_id }) => chunk_id === citation.chunk_id)!;
    expect(chunk.char_start).toBeLessThanOrEqual(citation.char_start);
    expect(citation.verified).toBe(true);
  }
}

describe('POST /query without a model', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
    for (const [title, text] of Object.entries(corpus)) await api.client.indexText(text, { title });
  });
  afterAll(() => api?.close());

  it('answers with verbatim sentences, each with a citation that stands in its document', async () => {
    const { status, body } = await api.client.ask('How often does the pump P-100 need an oil change?');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'answered', model: 'extractive', degraded_reasons: [] });
    expect(body.answer).toContain('every 500 hours. [1]');
    expect(body.citations[0]).toMatchObject({ number: 1, title: 'Pump manual' });
    expect(body.tokens).toEqual({ input: 0, output: 0, estimated: false });
    expect(body.cost).toEqual({ micro_usd: 0 });
    await expectCitationsToStand(api.client, body);
  });

  it('answers a Chinese question from a Chinese document', async () => {
    const { body } = await api.client.ask('食堂几点开门？');
    expect(body.status).toBe('answered');
    expect(body.citations[0]!.quote).toBe('食堂每天中午十一点半开门。');
    await expectCitationsToStand(api.client, body);
  });

  it('says that it has no evidence instead of inventing prose', async () => {
    const { body } = await api.client.ask('Who won the football world cup in Brazil?');
    expect(body).toMatchObject({ status: 'no_evidence', citations: [], model: 'extractive' });
    expect(body.answer).toContain('no evidence');
  });

  it('returns at most top_k sources, best first, in every mode', async () => {
    for (const mode of ['hybrid', 'vector', 'lexical']) {
      const { body } = await api.client.post<{ sources: { title: string; score: number }[] }>('/search', {
        question: 'oil change of the pump P-100',
        top_k: 2,
        mode,
      });
      expect(body.sources.length, mode).toBeLessThanOrEqual(2);
      expect(body.sources[0]!.title, mode).toBe('Pump manual');
      const scores = body.sources.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
    }
  });

  it('gives the page of a quote, also past a page break inside its chunk', async () => {
    const bytes = await readFile(join(projectFolder, 'samples', 'vacuum-and-bloat.pdf'));
    const accepted = await api.client.upload('vacuum-and-bloat.pdf', bytes);
    await api.client.jobEnd(accepted.body);
    const { body } = await api.client.ask(
      'Which session that is idle in transaction holds vacuum back, how do I find it?',
    );
    const citation = body.citations.find(({ quote }) =>
      /A long-running transaction|pg_stat_activity/.test(quote),
    );
    expect(citation?.page).toBe(2);
  });
});

describe('POST /query with an OpenAI-compatible model', () => {
  let api: TestApi;
  let models: MockLlm;
  beforeAll(async () => {
    models = await MockLlm.start();
    models.usage = { prompt_tokens: 1_000, completion_tokens: 50 };
    api = await startTestApi({
      CHAT_BASE_URL: models.url,
      CHAT_MODEL: 'writer',
      CHAT_API_KEY: 'sk-test',
      CHAT_TIMEOUT_MS: '8000',
      CHAT_PRICE_INPUT_USD_PER_MILLION: '2',
      CHAT_PRICE_OUTPUT_USD_PER_MILLION: '8',
    });
    for (const [title, text] of Object.entries(corpus)) await api.client.indexText(text, { title });
  });
  afterAll(async () => {
    await api?.close();
    await models?.close();
  });
  beforeEach(() => {
    models.script.length = 0;
    models.requests.length = 0;
  });

  const question = 'How often does the pump P-100 need an oil change?';

  it('keeps a quote that stands in its source and bills the tokens of the provider', async () => {
    models.responder = () =>
      'Change the oil every 500 hours [1: "The pump P-100 needs an oil change every 500 hours."].';
    const { body } = await api.client.ask(question);
    expect(body).toMatchObject({
      status: 'answered',
      answer: 'Change the oil every 500 hours [1].',
      model: 'writer-2026',
      tokens: { input: 1000, output: 50, estimated: false },
      cost: { micro_usd: 2_400 },
    });
    expect(body.citations).toHaveLength(1);
    await expectCitationsToStand(api.client, body);
    const [sent] = models.requests;
    expect(sent!.authorization).toBe('Bearer sk-test');
    expect(JSON.stringify(sent!.body)).toContain('ISO VG 46');
  });

  it('finds the supporting sentence of a marker without a quote', async () => {
    models.responder = () => 'The pump P-100 needs an oil change every 500 hours [1].';
    const { body } = await api.client.ask(question);
    expect(body.status).toBe('answered');
    expect(body.citations[0]!.quote).toBe('The pump P-100 needs an oil change every 500 hours.');
  });

  it('drops an invented quote and an invented source, and says degraded', async () => {
    models.responder = () =>
      'Change it every 500 hours [1: "The pump P-100 needs an oil change every 500 hours."]. Do it at night [2: "Oil is changed at night."]. Ask Bob [9: "Ask Bob."].';
    const { body } = await api.client.ask(question);
    expect(body.status).toBe('degraded');
    expect(body.degraded_reasons).toContain('citation_unverified');
    expect(body.citations).toHaveLength(1);
    expect(body.answer).toBe('Change it every 500 hours [1]. Do it at night. Ask Bob.');
    await expectCitationsToStand(api.client, body);
  });

  it('says degraded for an answer without any citation', async () => {
    models.responder = () => 'Just trust me.';
    const { body } = await api.client.ask(question);
    expect(body).toMatchObject({ status: 'degraded', citations: [] });
    expect(body.degraded_reasons).toContain('uncited_answer');
  });

  it('passes on that the model found no evidence', async () => {
    models.responder = () => 'NO_EVIDENCE';
    const { body } = await api.client.ask(question);
    expect(body).toMatchObject({ status: 'no_evidence', citations: [], model: 'writer-2026' });
  });

  it.each([
    ['an error 500', { status: 500 }],
    ['a wrong key', { status: 401 }],
    ['a cut connection', { cut: true }],
    ['a reply that is no JSON', { body: '<html>' }],
    ['a reply that takes too long', { delayMs: 60_000 }],
  ])('answers with quotes, marked degraded, after %s', async (_what, fault) => {
    models.responder = () => 'The pump P-100 needs an oil change every 500 hours [1].';
    expect((await api.client.ask(question)).body.status).toBe('answered'); // else the breaker would open
    models.script.push({ fault, times: 0 });
    const { body } = await api.client.ask(question);
    expect(body).toMatchObject({
      status: 'degraded',
      model: 'extractive',
      degraded_reasons: ['model_unavailable'],
    });
    expect(body.answer).toContain('500 hours');
  });

  it('gets over one failure without a trace in the answer', async () => {
    models.responder = () => 'The pump P-100 needs an oil change every 500 hours [1].';
    models.faults.push({ status: 500 });
    expect((await api.client.ask(question)).body).toMatchObject({ status: 'answered', degraded_reasons: [] });
  });

  it('counts the tokens itself, marked estimated, when the provider sends no usage', async () => {
    models.sendsUsage = false;
    models.responder = () => 'The pump P-100 needs an oil change every 500 hours [1].';
    const { body } = await api.client.ask(question);
    models.sendsUsage = true;
    expect(body.tokens.estimated).toBe(true);
    expect(body.tokens.input).toBeGreaterThan(50);
  });

  it('asks no model for an extractive answer', async () => {
    const { body } = await api.client.ask(question, { model: 'extractive' });
    expect(body.model).toBe('extractive');
    expect(models.requests).toHaveLength(0);
  });
});

describe('with an OpenAI-compatible embedding server', () => {
  it('indexes and asks through it, and says what to do when its vectors change length', async () => {
    const models = await MockLlm.start();
    const api = await startTestApi({
      EMBEDDINGS_BASE_URL: models.url,
      EMBEDDINGS_MODEL: 'letters',
      EMBEDDINGS_DIMENSIONS: '8',
      EMBEDDINGS_API_KEY: 'sk-embed',
    });
    await api.client.indexText('Aardvarks dig at night.');
    const { body } = await api.client.post<{ sources: { text: string; vector_rank: number }[] }>('/search', {
      question: 'Aardvarks dig at night.',
    });
    expect(body.sources[0]).toMatchObject({ text: 'Aardvarks dig at night.', vector_rank: 1 });
    expect(models.requests.every(({ authorization }) => authorization === 'Bearer sk-embed')).toBe(true);

    models.dimensions = 9;
    const reply = await api.client.post<AnswerView & { code: string; detail: string }>('/query', {
      question: 'why?',
    });
    expect(reply.status).toBe(500);
    expect(reply.body.code).toBe('dimension_mismatch');
    expect(reply.body.detail).toContain('EMBEDDINGS_DIMENSIONS');
    await api.close();
    await models.close();
  });

  it('retries a busy server and then indexes the document', async () => {
    const models = await MockLlm.start();
    const api = await startTestApi({
      EMBEDDINGS_BASE_URL: models.url,
      EMBEDDINGS_MODEL: 'letters',
      EMBEDDINGS_DIMENSIONS: '8',
    });
    models.faults.push({ status: 429, headers: { 'retry-after': '0' } }, { cut: true });
    await api.client.indexText('Bats hang upside down.');
    expect(models.requests.length).toBeGreaterThanOrEqual(3);
    await api.close();
    await models.close();
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import type { AnswerView } from '../support/ragstone-client.js';
import { serverMissing, stackEnvironment } from '../support/stack.js';
import { ServerProcess } from '../support/server-process.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

interface ModelAnswerView extends AnswerView {
  cache: string;
  explain?: {
    chain: string | null;
    complexity: { level: string } | null;
    attempts: { model: string; outcome: string; reason: string | null }[];
  };
}

interface UsageView {
  rows: {
    model?: string;
    calls: number;
    input_tokens: number;
    output_tokens: number;
    cost_micro_usd: number;
  }[];
}

let primary: MockLlm;
let backup: MockLlm;
/** Embeds questions and documents in no time. */
let embedder: MockLlm;
let folder: string;
let api: TestApi | undefined;
let isShared = false;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-models-'));
  [primary, backup, embedder] = await Promise.all([MockLlm.start(), MockLlm.start(), MockLlm.start()]);
});
afterAll(async () => {
  await Promise.all([primary?.close(), backup?.close(), embedder?.close()]);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  primary.reset();
  backup.reset();
});
afterEach(async () => {
  if (!isShared) await close();
});

async function close(): Promise<void> {
  await api?.close();
  api = undefined;
}

/** One service for the tests of a group. */
function share(more?: string, environment?: Record<string, string>): void {
  beforeAll(async () => {
    isShared = true;
    await start(more, environment);
  });
  afterAll(async () => {
    isShared = false;
    await close();
  });
}

async function modelsFile(more = 'routes: { answer: default }'): Promise<string> {
  const path = join(folder, `${Math.random()}.yaml`);
  await writeFile(
    path,
    `
models:
  primary:
    { provider: openai, model: big, base_url: "${primary.url}", prices: [{ input: 2, output: 8 }], attempts_max: 1 }
  small:
    { provider: anthropic, model: small, base_url: "${backup.url}", prices: [{ input: 0.1, output: 0.4 }], attempts_max: 1 }
  letters: { provider: openai, kind: embedding, model: letters, dimensions: 8, base_url: "${embedder.url}" }
embedding: letters
chains:
  default: [primary, small, extractive]
  cheap: [small, extractive]
  strict: [primary]
${more}
`,
  );
  return path;
}

async function start(more?: string, environment: Record<string, string> = {}): Promise<TestApi> {
  api = await startTestApi({ MODELS_FILE: await modelsFile(more), ...environment });
  await api.client.indexText('The pump P-100 needs an oil change every 500 hours. Its oil is ISO VG 46.', {
    title: 'Pumps',
  });
  return api;
}

const question = 'How often does the pump P-100 need an oil change?';

async function ask(given: Record<string, unknown> = {}, text = question) {
  const { status, body, headers } = await api!.client.ask(text, given);
  return {
    status,
    headers,
    body: body as ModelAnswerView & { code: string; resets_at: string; budget: string },
  };
}

async function usage(query = ''): Promise<UsageView> {
  return (await api!.client.get<UsageView>(`/usage?${query}`)).body;
}

describe('an answer through a chain of models', () => {
  it('has the tokens and the cost that the ledger has, failed attempts and all', async () => {
    await start();
    primary.faults.push({ malformedJson: true });
    const { body } = await ask({ explain: true });
    expect(body).toMatchObject({ status: 'answered', model: 'small-2026' });
    expect(body.explain!.attempts.map(({ model, outcome, reason }) => [model, outcome, reason])).toEqual([
      ['primary', 'failed', 'malformed'],
      ['small', 'ok', null],
    ]);
    const all = (await usage('group_by=model,purpose')).rows as (UsageView['rows'][number] & {
      purpose: string;
    })[];
    const rows = all.filter(({ purpose }) => purpose === 'answer'); // not those of embeddings
    expect(rows.map(({ model }) => model)).toEqual(['primary', 'small']);
    const sum = (of: (row: UsageView['rows'][number]) => number) =>
      rows.reduce((total, row) => total + of(row), 0);
    expect(body.tokens.input).toBe(sum(({ input_tokens }) => input_tokens));
    expect(body.tokens.output).toBe(sum(({ output_tokens }) => output_tokens));
    expect(body.cost.micro_usd).toBe(sum(({ cost_micro_usd }) => cost_micro_usd));
    expect(body.cost.micro_usd).toBeGreaterThan(0);
  });

  it('comes from quotes, degraded, when every model fails; a chain without that says 503', async () => {
    await start();
    primary.script.push({ fault: { status: 500 }, times: 0 });
    backup.script.push({ fault: { cut: 'rst' }, times: 0 });
    expect((await ask()).body).toMatchObject({
      status: 'degraded',
      model: 'extractive',
      degraded_reasons: ['model_unavailable'],
    });
    expect(await ask({ model: 'strict' })).toMatchObject({
      status: 503,
      body: { code: 'model_unavailable' },
    });
    for (let n = 0; n < 4; n += 1) await ask();
    const { body } = await ask({ explain: true });
    expect(body.explain!.attempts.map(({ reason }) => reason)).toEqual(['breaker_open', 'breaker_open']);
    expect(body).toMatchObject({ status: 'degraded', model: 'extractive' });
  });

  it('climbs a cascade only when the citations of the cheap answer do not hold', async () => {
    await start('routes: { answer: { simple: cheap, medium: cheap, complex: strict, cascade: true } }');
    expect((await ask()).body.model).toBe('small-2026');
    expect(primary.requests).toHaveLength(0);
    backup.responder = () => 'Every week [1: "Oil is changed every week."].';
    const { body } = await ask({ explain: true });
    expect(body).toMatchObject({ status: 'answered', model: 'big-2026' });
    expect(body.explain!.attempts.map(({ model }) => model)).toEqual(['small', 'primary']);
    expect(body.tokens.output).toBeGreaterThan(backup.bill.outputTokens / 2); // both are paid for
    primary.script.push({ fault: { status: 500 }, times: 0 });
    expect((await ask()).body).toMatchObject({ status: 'degraded', model: 'small-2026' }); // better than nothing
  });
});

describe('routes by complexity', () => {
  share('routes: { answer: { simple: cheap, medium: cheap, complex: default } }');

  it('have their usage by group, by day and as CSV', async () => {
    await ask({ model: 'primary' });
    const today = new Date().toISOString().slice(0, 10);
    expect((await usage('group_by=model,key,day')).rows).toContainEqual(
      expect.objectContaining({ model: 'primary', key: null, day: today, calls: 1 }),
    );
    expect((await usage('from=2020-01-01&to=2020-01-31')).rows).toEqual([]);
    const csv = await fetch(`${api!.url}/usage?group_by=model,day&format=csv`);
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(await csv.text()).toMatch(new RegExp(`^model,day,calls,[^]*\\r\\nprimary,${today},1,`));
    expect((await api!.client.get('/usage?group_by=tenant')).status).toBe(422);
  });

  it('names what may be asked for when a request names a model that is not there', async () => {
    const { status, body } = await ask({ model: 'gpt-9' });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('extractive, default, cheap, strict, primary, small.');
    expect((await ask({ model: 'small' })).body.model).toBe('small-2026');
  });

  it('goes to the chain of its complexity and says why', async () => {
    expect((await ask({ explain: true })).body).toMatchObject({
      model: 'small-2026',
      explain: { chain: 'cheap', complexity: { level: 'simple' } },
    });
    const compare = 'Compare the oil change interval of the pump P-100 with its oil type and analyze both.';
    expect((await ask({ explain: true }, compare)).body).toMatchObject({
      model: 'big-2026',
      explain: { chain: 'default', complexity: { level: 'complex' } },
    });
  });

  it('ends the call at the provider when the client goes away', async () => {
    primary.script.push({ fault: { never: true }, times: 0 });
    const body = JSON.stringify({ question, model: 'primary' });
    const sent = request(`${api!.url}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    sent.on('error', () => undefined);
    sent.end(body);
    await waitFor('the model to be asked', () => primary.open === 1);
    sent.destroy();
    await waitFor('the provider to see it', () => primary.open === 0);
    expect(primary.aborted).toBe(1);
    await waitFor('the ledger', async () =>
      (await usage('group_by=outcome')).rows.some((row) => 'outcome' in row && row.outcome === 'cancelled'),
    );
  });
});

describe('budgets', () => {
  it('answer 402 with the time when they begin anew, and are never passed', async () => {
    await start(`routes: { answer: strict }\nbudgets: [{ per: tenant, period: day, usd: 0.009 }]`);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => ask({ cache: false }, `${question} Number ${n}?`)),
    );
    const refused = answers.filter(({ status }) => status === 402);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(12);
    const [{ body, headers }] = refused as [(typeof refused)[number]];
    expect(body).toMatchObject({ code: 'budget_exceeded', budget: 'tenant/day' });
    expect(body.resets_at).toMatch(/T00:00:00.000Z$/);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await usage()).rows[0]!.cost_micro_usd).toBeLessThanOrEqual(9_000);
  });
});

describe.each([
  { store: 'memory', missing: null },
  { store: 'redis', missing: serverMissing },
])('the answer cache in $store', ({ store, missing }) => {
  beforeEach((context) => {
    if (missing) context.skip(missing);
  });
  if (!missing) {
    share(undefined, {
      ANSWER_CACHE: store,
      ...(store === 'redis' && { REDIS_URL: stackEnvironment!.REDIS_URL! }),
    });
  }

  it('answers the same question again for nothing, until a document changes', async () => {
    const first = (await ask()).body;
    expect(first.cache).toBe('miss');
    const second = (await ask()).body;
    expect(second).toMatchObject({
      cache: 'hit',
      answer: first.answer,
      tokens: { input: 0, output: 0 },
      cost: { micro_usd: 0 },
    });
    expect(second.citations).toEqual(first.citations);
    expect((await ask({ cache: false })).body.cache).toBe('bypass');
    expect((await ask({ top_k: 1 })).body.cache).toBe('miss');
    expect((await ask({ temperature: 0 })).body.cache).toBe('miss');
    expect(primary.requests).toHaveLength(4);
    await api!.client.indexText('The pump P-100 needs an oil change every 900 hours.', { title: 'News' });
    expect((await ask()).body.cache).toBe('miss');
    const outcomes = await usage('group_by=model,outcome');
    expect(outcomes.rows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ outcome: 'cached', calls: 1 }),
        expect.objectContaining({ model: 'primary', outcome: 'ok', calls: 5 }),
      ]),
    );
  });

  it('asks the model once for identical questions at the same time', async () => {
    primary.script.push({ fault: { delayMs: 300 }, times: 0 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({}, 'Which oil does it take?')));
    expect(primary.requests).toHaveLength(1);
    expect(answers.filter(({ body }) => body.cache === 'miss')).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.answer)).size).toBe(1);
  });

  it('keeps no answer that a failure made worse', async () => {
    primary.faults.push({ status: 500 });
    backup.faults.push({ status: 500 });
    const oil = 'What is the oil of the pump P-100?';
    expect((await ask({}, oil)).body).toMatchObject({ status: 'degraded', cache: 'miss' });
    expect((await ask({}, oil)).body).toMatchObject({ status: 'answered', cache: 'miss' });
  });
});

describe('ragstone models check', () => {
  it('calls each model once, prints a table and fails when one does not answer', async () => {
    const environment = { MODELS_FILE: await modelsFile() };
    const good = ServerProcess.run(['dist/apps/cli/src/main.js', 'models', 'check'], environment);
    await good.ended();
    expect(good.output).toMatch(/primary[^]*ok[^]*small[^]*ok[^]*letters[^]*ok/);
    expect(good.exitCode).toBe(0);
    expect([primary.requests.length, backup.requests.length]).toEqual([1, 1]);
    backup.script.push({ fault: { status: 401 }, times: 0 });
    const bad = ServerProcess.run(['dist/apps/cli/src/main.js', 'models', 'check'], environment);
    await bad.ended();
    expect(bad.output).toContain('unauthorized');
    expect(bad.output).toContain('1 of 3 models did not answer');
    expect(bad.exitCode).toBe(1);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { BudgetConfig } from '#libs/config';
import { type Database, runAsTenant } from '#libs/database';
import { RagError } from '#libs/errors';
import { MockLlm } from '../../../../test/mock-llm/index.js';
import { describeOnEachEngine } from '../../../../test/support/engines.js';
import { ask, modelAt, routerOver } from '../../../../test/support/routing.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import type { ModelRouter } from '../routing/model-router.js';
import { DatabaseLedger } from './database-ledger.js';
import { ModelCallRepository } from './model-call.repository.js';

/** Ten calls of at most 100 micro-dollars. */
const TEN_CALLS: BudgetConfig = { per: 'tenant', subject: null, period: 'month', microUsd: 1_000 };
const price = { from: '2020-01-01', input: 0, cachedInput: 0, cacheWrite: 0, output: 2, reasoning: 2 };

let server: MockLlm;
beforeAll(async () => {
  server = await MockLlm.start();
});
afterAll(() => server?.close());

describeOnEachEngine('the ledger', (open) => {
  let calls: ModelCallRepository;
  let tenant: string;
  beforeEach(() => {
    server.reset();
    server.usage = { prompt_tokens: 10, completion_tokens: 50 };
    calls = new ModelCallRepository(open());
    tenant = randomUUID();
  });

  /** A model whose calls cost 100 micro-dollars: 50 output tokens, all that is allowed, at 2 each. */
  async function routerWith(budgets: BudgetConfig[], database = open()) {
    const ledger = new DatabaseLedger(new ModelCallRepository(database), budgets);
    const limits = { requestsPerMinute: null, tokensPerMinute: null, concurrency: 64, queue: 64 };
    const router = await routerOver(
      [modelAt('paid', server.url, { prices: [price], limits })],
      { budgets },
      ledger,
    );
    return { router, ledger };
  }

  const asTenant = <T>(work: () => Promise<T>): Promise<T> => runAsTenant(tenant, work);
  const rows = () =>
    asTenant(() =>
      open().query<{ outcome: string; cost_micro_usd: string; request_id: string | null }>({
        text: 'select outcome, cost_micro_usd, request_id from model_calls order by created_at',
      }),
    );
  const complete = (router: ModelRouter, keyId: string | null = null) =>
    asTenant(() =>
      router.complete(ask('?', { context: { requestId: randomUUID(), keyId, purpose: 'answer' } })),
    );

  it('lets 10 of 64 parallel requests through a budget for 10, over several processes, and not one more', async () => {
    const routers = await Promise.all([1, 2, 3, 4].map(() => routerWith([TEN_CALLS])));
    const results = await Promise.allSettled(
      Array.from({ length: 64 }, (_, index) => complete(routers[index % 4]!.router)),
    );
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as RagError] : [],
    );
    expect(refused).toHaveLength(54);
    for (const { code, details } of refused) {
      expect(code).toBe('budget_exceeded');
      expect(new Date(String(details.resets_at)).getTime()).toBeGreaterThan(Date.now());
    }
    expect(server.requests).toHaveLength(10);
    expect(await asTenant(() => calls.readBudgets())).toMatchObject([
      { budget: 'tenant/month', spentMicroUsd: 1_000, reservedMicroUsd: 0 },
    ]);
    expect(await rows()).toHaveLength(10);
    for (const { router } of routers) await router.close();
  });

  it('gives back what a call did not use, and what a failed one reserved', async () => {
    const { router } = await routerWith([TEN_CALLS]);
    server.usage = { prompt_tokens: 10, completion_tokens: 5 };
    server.faults.push({ status: 500 }, {}, { status: 401 });
    await complete(router);
    await expect(complete(router)).rejects.toMatchObject({ code: 'model_unavailable' });
    expect(await asTenant(() => calls.readBudgets())).toMatchObject([
      { spentMicroUsd: 10, reservedMicroUsd: 0 },
    ]);
    expect((await rows()).map(({ outcome, cost_micro_usd }) => [outcome, Number(cost_micro_usd)])).toEqual([
      ['failed', 0],
      ['ok', 10],
      ['failed', 0],
    ]);
    await router.close();
  });

  it('takes from each budget or from none, and keeps tenants and keys apart', async () => {
    const perKey: BudgetConfig = { per: 'key', subject: null, period: 'day', microUsd: 100 };
    const { router } = await routerWith([TEN_CALLS, perKey]);
    await complete(router, 'a');
    await expect(complete(router, 'a')).rejects.toMatchObject({ details: { budget: 'key:a/day' } });
    await complete(router, 'b');
    expect(await asTenant(() => calls.readBudgets())).toMatchObject([
      { budget: 'key:a/day', spentMicroUsd: 100, reservedMicroUsd: 0 },
      { budget: 'key:b/day', spentMicroUsd: 100, reservedMicroUsd: 0 },
      { budget: 'tenant/month', spentMicroUsd: 200, reservedMicroUsd: 0 },
    ]);
    await runAsTenant(randomUUID(), () =>
      router.complete(ask('?', { context: { requestId: 'x', keyId: 'a', purpose: 'answer' } })),
    );
    await router.close();
  });

  it('goes on to a free model when the budget of a paid one is spent', async () => {
    const ledger = new DatabaseLedger(calls, [{ ...TEN_CALLS, microUsd: 0 }]);
    const free = modelAt('free', server.url, { prices: [{ ...price, output: 0, reasoning: 0 }] });
    const router = await routerOver([modelAt('paid', server.url, { prices: [price] }), free], {}, ledger);
    expect(await complete(router)).toMatchObject({
      model: 'free',
      steps: [{ model: 'paid', reason: 'budget' }, {}],
    });
    await router.close();
  });

  it('books calls of a process that died in full, once', async () => {
    const budget = {
      name: 'tenant/month',
      periodStart: '2026-01-01',
      microUsdMax: 1_000,
      resetsAt: new Date(),
    };
    const reservation = {
      callId: randomUUID(),
      model: 'm',
      provider: 'p',
      keyId: null,
      microUsd: 70,
      budgets: [budget],
    };
    await asTenant(() => calls.reserve({ ...reservation, expiresInMs: -1 }));
    await asTenant(() => calls.reserve({ ...reservation, callId: randomUUID(), expiresInMs: 60_000 }));
    const lost = await Promise.all([1, 2, 3].map(() => asTenant(() => calls.bookLost())));
    expect(lost.reduce((a, b) => a + b)).toBe(1);
    expect(await asTenant(() => calls.readBudgets())).toMatchObject([
      { spentMicroUsd: 70, reservedMicroUsd: 70 },
    ]);
    expect(await rows()).toMatchObject([{ outcome: 'lost', cost_micro_usd: '70' }]);
  });

  it('books a call once, however often it is settled', async () => {
    const { router, ledger } = await routerWith([TEN_CALLS]);
    await complete(router);
    const [row] = await asTenant(() => open().query<{ id: string }>({ text: 'select id from model_calls' }));
    const call = {
      id: row!.id,
      requestId: 'x',
      keyId: null,
      purpose: 'answer',
      kind: 'chat' as const,
      model: 'paid',
      provider: 'openai',
      providerModel: null,
      attempt: 1,
      outcome: 'ok' as const,
      failureKind: null,
      isStreamed: false,
      isHedge: false,
      usage: {
        inputTokens: 1,
        cachedInputTokens: 0,
        cacheWriteInputTokens: 0,
        outputTokens: 1,
        reasoningTokens: 0,
      },
      isEstimated: false,
      costMicroUsd: 999,
      latencyMs: 1,
      firstTokenMs: null,
    };
    await asTenant(() => ledger.record(call));
    expect(await asTenant(() => calls.readBudgets())).toMatchObject([{ spentMicroUsd: 100 }]);
    await router.close();
  });

  it('keeps rows while the database is away, answers meanwhile, and writes them when it is back', async () => {
    let isAway = true;
    const flaky = {
      query: (query: Parameters<Database['query']>[0]) =>
        isAway
          ? Promise.reject(new RagError('database_unavailable', 'away', { retryable: true }))
          : open().query(query),
    } as unknown as Database;
    const { router, ledger } = await routerWith([], flaky);
    await Promise.all(Array.from({ length: 20 }, () => complete(router)));
    expect(await rows()).toHaveLength(0);
    isAway = false;
    await waitFor('the rows to be written', async () => (await rows()).length === 20);
    await ledger.close();
    await router.close();
  });

  it('sums up by model, key and day', async () => {
    const { router } = await routerWith([]);
    await complete(router, 'a');
    await complete(router, 'a');
    await complete(router);
    const summed = await asTenant(() =>
      calls.summarize(['model', 'key', 'day'], new Date(0), new Date(4e12)),
    );
    expect(summed).toMatchObject([
      { group: { model: 'paid', key: null }, calls: 1, costMicroUsd: 100 },
      { group: { model: 'paid', key: 'a' }, calls: 2, inputTokens: 20, outputTokens: 100, costMicroUsd: 200 },
    ]);
    expect(summed[0]!.group.day).toBe(new Date().toISOString().slice(0, 10));
    expect(await asTenant(() => calls.summarize([], new Date(0), new Date(1)))).toMatchObject([{ calls: 0 }]);
    await router.close();
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BudgetConfig } from '#libs/config';
import { type Database, migrate, openDatabase, runAsTenant } from '#libs/database';
import { isRagError } from '#libs/errors';
import { MockLlm } from '../../../test/mock-llm/index.js';
import { engines } from '../../../test/support/engines.js';
import { failAtRandom } from '../../../test/support/fault-mix.js';
import { ask, modelAt, routerOver } from '../../../test/support/routing.js';
import { waitFor } from '../../../test/support/wait-for.js';
import { DatabaseLedger } from './ledger/database-ledger.js';
import { ModelCallRepository } from './ledger/model-call.repository.js';
import type { ModelRouter } from './routing/model-router.js';

/** 300,000 in the long run: npm run test:fault-mix */
const REQUESTS = Number(process.env.FAULT_MIX_REQUESTS ?? 30_000);
const AT_A_TIME = 48;
const FAILING_SHARE = 0.005;
/** The primary is dead for one request in fifty, in bursts of a thousandth of all. */
const BURSTS = 20;
/** One request in ten is paid for by this key. */
const LIMITED_KEY = 'limited';
/** Never reached, however busy the machine is: an answer that comes too late would be billed and not booked. */
const HOUR_MS = 60 * 60_000;
const timeouts = { connectMs: HOUR_MS, firstTokenMs: HOUR_MS, betweenTokensMs: HOUR_MS, totalMs: HOUR_MS };
const price = { from: '2020-01-01', input: 2, cachedInput: 2, cacheWrite: 2, output: 8, reasoning: 8 };

// On the server where there is one: that is what production uses.
const engine = engines.find(({ missing, name }) => missing === null && name === 'PostgreSQL') ?? engines[0]!;

describe(`a mix of faults, ${REQUESTS} requests, the ledger on ${engine.name}`, () => {
  it(
    'shows no failure to a client, asks little more than once, and books what the providers bill to the token',
    { timeout: 60 * 60_000 },
    async () => {
      const servers = await Promise.all([1, 2, 3].map(() => MockLlm.start({ recordsRequests: false })));
      const created = await engine.create();
      const database = await openDatabase(created.options);
      await migrate(database);
      try {
        await expectMixToHold(servers, database);
      } finally {
        await database.close();
        await created.drop();
        await Promise.all(servers.map((server) => server.close()));
      }
    },
  );
});

async function expectMixToHold(servers: MockLlm[], database: Database): Promise<void> {
  const tenant = randomUUID();
  const limit = REQUESTS * 4; // runs out before the last of its requests
  const budgets: BudgetConfig[] = [{ per: 'key', subject: LIMITED_KEY, period: 'month', microUsd: limit }];
  const ledger = new DatabaseLedger(new ModelCallRepository(database), budgets);
  const names = ['primary', 'backup', 'local'];
  const models = names.map((name, index) =>
    modelAt(name, servers[index]!.url, {
      timeouts,
      prices: [price],
      breaker: { ...modelAt('x', '').breaker, openSeconds: 0.3 },
      limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: 256, queue: 256 },
    }),
  );
  const router = await routerOver(models, { budgets, deadlineMs: HOUR_MS }, ledger);

  let begun = 0;
  const isDead = (): boolean => begun % Math.ceil(REQUESTS / BURSTS) < REQUESTS / 1_000;
  for (const [index, server] of servers.entries()) {
    server.responder = (messages) =>
      `The answer to: ${String(messages.at(-1)!.content)} It is written in the manual.`;
    failAtRandom(server, FAILING_SHARE, 7 + index, index === 0 ? isDead : undefined);
  }

  const visible: unknown[] = [];
  let refused = 0;
  const client = async (): Promise<void> => {
    while (begun < REQUESTS) {
      begun += 1;
      const number = begun;
      try {
        await oneRequest(router, number);
      } catch (error) {
        if (isRagError(error) && error.code === 'budget_exceeded') refused += 1;
        else visible.push(error);
      }
    }
  };
  const start = performance.now();
  await runAsTenant(tenant, () => Promise.all(Array.from({ length: AT_A_TIME }, client)));
  const seconds = (performance.now() - start) / 1_000;
  await waitFor('the last connections to end', () => servers.every(({ open }) => open === 0));

  const upstream = servers.reduce((sum, { bill }) => sum + bill.calls, 0);
  const answered = REQUESTS - refused;
  console.log(
    `${REQUESTS} requests in ${seconds.toFixed(1)} s: ${visible.length} failures seen, ${refused} over budget, ${(upstream / answered).toFixed(4)} calls a request, dead primary asked ${servers[0]!.bill.calls} times`,
  );
  expect(visible).toEqual([]);
  expect(refused).toBeGreaterThan(0);
  expect(upstream).toBeLessThanOrEqual(answered * 1.05);
  await runAsTenant(tenant, () => expectBooked(database, servers, upstream, limit));
  await router.close();
}

/** Half of them streamed. @throws what a client would see */
async function oneRequest(router: ModelRouter, number: number): Promise<void> {
  const text = `Question ${number % 500}?`;
  const keyId = number % 10 === 0 ? LIMITED_KEY : null;
  const request = ask(text, { context: { requestId: String(number), keyId, purpose: 'answer' } });
  const wanted = `The answer to: ${text} It is written in the manual.`;
  if (number % 2 === 0) {
    const { text: answer } = await router.complete(request);
    if (answer !== wanted) throw new Error(`another answer: ${answer}`);
    return;
  }
  let read = '';
  let isEnded = false;
  for await (const event of router.stream(request)) {
    if (event.type === 'restart') read = '';
    if (event.type === 'text') read += event.text;
    isEnded ||= event.type === 'end';
  }
  if (read !== wanted || !isEnded) throw new Error(`a silent truncation: ${read}`);
}

async function expectBooked(
  database: Database,
  servers: MockLlm[],
  upstream: number,
  limit: number,
): Promise<void> {
  const calls = new ModelCallRepository(database);
  const [all] = await calls.summarize([], new Date(0), new Date(4e12));
  expect(all).toMatchObject({
    calls: upstream,
    inputTokens: servers.reduce((sum, { bill }) => sum + bill.inputTokens, 0),
    outputTokens: servers.reduce((sum, { bill }) => sum + bill.outputTokens, 0),
  });
  const [budget] = await calls.readBudgets();
  const limited = (await calls.summarize(['key'], new Date(0), new Date(4e12))).find(
    ({ group }) => group.key === LIMITED_KEY,
  );
  expect(budget!.spentMicroUsd).toBe(limited!.costMicroUsd);
  expect(budget!.spentMicroUsd).toBeLessThanOrEqual(limit);
  expect(budget!.reservedMicroUsd).toBe(0);
}

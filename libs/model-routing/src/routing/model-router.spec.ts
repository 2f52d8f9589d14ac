import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ModelConfig, ModelsConfig } from '#libs/config';
import { type Fault, MockLlm } from '../../../../test/mock-llm/index.js';
import { ask, modelAt, RecordingLedger, routerOver } from '../../../../test/support/routing.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import type { ModelRouter, RoutedEvent } from './model-router.js';

let primary: MockLlm;
let backup: MockLlm;
let ledger: RecordingLedger;
let router: ModelRouter;

beforeAll(async () => {
  [primary, backup] = await Promise.all([MockLlm.start(), MockLlm.start()]);
});
afterAll(async () => {
  await primary?.close();
  await backup?.close();
});
beforeEach(() => {
  for (const server of [primary, backup]) server.reset();
  primary.responder = () => 'from the primary, every word of it';
  backup.responder = () => 'from the backup';
  ledger = new RecordingLedger();
});
afterEach(() => router?.close());

async function open(
  first: Partial<ModelConfig> = {},
  second: Partial<ModelConfig> = {},
  given: Partial<ModelsConfig> = {},
) {
  router = await routerOver(
    [modelAt('primary', primary.url, first), modelAt('backup', backup.url, second)],
    given,
    ledger,
  );
}

const impatient = { connectMs: 300, firstTokenMs: 300, betweenTokensMs: 300, totalMs: 1_500 };
const outcomes = () => ledger.calls.map(({ model, outcome, failureKind }) => [model, outcome, failureKind]);

describe('failure kinds', () => {
  it.each<[string, Fault, string]>([
    ['400', { status: 400 }, 'rejected'],
    ['401', { status: 401 }, 'unauthorized'],
    ['404', { status: 404 }, 'not_found'],
  ])('after %s the next model is asked, without a retry', async (_what, fault, kind) => {
    await open();
    primary.script.push({ fault, times: 0 });
    expect(await router.complete(ask())).toMatchObject({ text: 'from the backup', model: 'backup' });
    expect(outcomes()).toEqual([
      ['primary', 'failed', kind],
      ['backup', 'ok', null],
    ]);
  });

  it.each<[string, Fault]>([
    ['429', { status: 429 }],
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['a reset', { cut: 'rst' }],
    ['a reply that is no JSON', { malformedJson: true }],
    ['a reply of another shape', { wrongSchema: true }],
  ])('after %s the same model is tried once more, then the next', async (_what, fault) => {
    await open();
    primary.faults.push(fault);
    expect(await router.complete(ask())).toMatchObject({ model: 'primary' });
    primary.faults.push(fault, fault);
    expect(await router.complete(ask())).toMatchObject({ model: 'backup' });
    expect(outcomes().map(([model, outcome]) => `${model} ${outcome}`)).toEqual([
      'primary failed',
      'primary ok',
      'primary failed',
      'primary failed',
      'backup ok',
    ]);
  });

  it('goes on after a refused connection, a host without a name and a server that never answers', async () => {
    const nowhere = modelAt('nowhere', 'http://127.0.0.1:1/v1', { attemptsMax: 1 });
    const nameless = modelAt('nameless', 'http://no-such-host.invalid/v1', { attemptsMax: 1 });
    const silent = modelAt('silent', primary.url, { timeouts: impatient, attemptsMax: 1 });
    primary.script.push({ fault: { never: true }, times: 0 });
    router = await routerOver([nowhere, nameless, silent, modelAt('backup', backup.url)], {}, ledger);
    const { steps } = await router.complete(ask());
    expect(steps.map(({ model, reason }) => [model, reason])).toEqual([
      ['nowhere', 'no_connection'],
      ['nameless', 'no_connection'],
      ['silent', 'total_timeout'],
      ['backup', null],
    ]);
    expect(primary.requests).toHaveLength(1);
  });

  it('honours Retry-After: waits a short one out, leaves the model alone for a long one', async () => {
    await open();
    primary.faults.push({ status: 429, retryAfter: 0.3 });
    const start = performance.now();
    expect(await router.complete(ask())).toMatchObject({ model: 'primary' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(290);
    primary.faults.push({ status: 429, retryAfter: 30 });
    expect(await router.complete(ask())).toMatchObject({ model: 'backup' });
    const { steps } = await router.complete(ask());
    expect(steps[0]).toMatchObject({ model: 'primary', outcome: 'skipped', reason: 'cooling' });
    expect(primary.requests).toHaveLength(3);
  });

  it('says of each model why it did not answer', async () => {
    await open({ attemptsMax: 1 }, { attemptsMax: 1 });
    primary.faults.push({ status: 401 });
    backup.faults.push({ status: 500 });
    await expect(router.complete(ask())).rejects.toMatchObject({
      code: 'model_unavailable',
      details: {
        attempts: [
          { model: 'primary', reason: 'unauthorized' },
          { model: 'backup', reason: 'server_error' },
        ],
      },
    });
  });

  it('begins no attempt that can not end before the deadline, and passes it down', async () => {
    await open({ attemptsMax: 3 });
    primary.script.push({ fault: { never: true }, times: 0 });
    const start = performance.now();
    await expect(router.complete(ask('?', { deadlineMs: 300 }))).rejects.toMatchObject({
      code: 'model_unavailable',
    });
    expect(performance.now() - start).toBeLessThan(1_500);
    expect(primary.requests).toHaveLength(1);
    expect(backup.requests).toHaveLength(0);
  });

  it('skips a model whose context is too short', async () => {
    await open({ contextTokens: 256 });
    expect(await router.complete(ask('word '.repeat(400)))).toMatchObject({ model: 'backup' });
    expect(await router.complete(ask())).toMatchObject({ model: 'primary' });
  });
});

describe('the retry budget', () => {
  it('keeps calls below 1.1 times the requests when everything fails at once (row 29)', async () => {
    const requests = 600;
    const { breaker, limits } = modelAt('x', '');
    const shut = { ...breaker, consecutiveFailures: 1_000_000, callsMin: 1_000_000 };
    const wide = { limits: { ...limits, concurrency: 1_000 } };
    await open({ attemptsMax: 3, breaker: shut, ...wide }, wide);
    primary.script.push({ fault: { status: 503 }, times: 0 });
    await Promise.all(
      Array.from({ length: requests }, () => router.complete(ask(undefined, { deadlineMs: 60_000 }))),
    );
    expect(primary.requests.length).toBeLessThanOrEqual(requests * 1.1 + 11); // 10 are at hand for a quiet service
    primary.script.length = 0;
    primary.requests.length = 0;
    for (let n = 0; n < 20; n += 1) expect(await router.complete(ask())).toMatchObject({ model: 'primary' });
    expect(primary.requests).toHaveLength(20);
  });
});

describe('the breaker', () => {
  const breaker = (openSeconds: number) => ({ ...modelAt('x', '').breaker, openSeconds });

  it('opens after five failures in a row; the model is then passed over in less than a millisecond', async () => {
    await open({ attemptsMax: 1, breaker: breaker(60) });
    primary.script.push({ fault: { status: 500 }, times: 0 });
    for (let n = 0; n < 5; n += 1) await router.complete(ask());
    expect(primary.requests).toHaveLength(5);
    for (let n = 0; n < 50; n += 1) {
      const { steps } = await router.complete(ask());
      expect(steps[0]).toMatchObject({ model: 'primary', reason: 'breaker_open', latencyMs: 0 });
    }
    expect(primary.requests).toHaveLength(5);
  });

  it('lets exactly one probe through when half open, and closes when it succeeds', async () => {
    await open({ attemptsMax: 1, breaker: breaker(0.3) });
    primary.script.push({ fault: { status: 500 }, times: 5 });
    for (let n = 0; n < 5; n += 1) await router.complete(ask());
    const { breaker: circuit } = router.all[0]!;
    expect(circuit.state).toBe('open');
    await waitFor('the breaker to be half open', () => circuit.state === 'half_open');
    primary.script.push({ fault: { delayMs: 200 }, times: 0 });
    const answers = await Promise.all(Array.from({ length: 64 }, () => router.complete(ask())));
    expect(primary.requests).toHaveLength(6);
    expect(answers.filter(({ model }) => model === 'primary')).toHaveLength(1);
    primary.script.length = 0;
    expect(circuit.state).toBe('closed');
    expect(await router.complete(ask())).toMatchObject({ model: 'primary' });
  });

  it('opens again when the probe fails, and after a probe whose caller went away', async () => {
    await open({ attemptsMax: 1, breaker: breaker(0.2) });
    primary.script.push({ fault: { status: 500 }, times: 6 });
    for (let n = 0; n < 5; n += 1) await router.complete(ask());
    const { breaker: circuit } = router.all[0]!;
    await waitFor('half open', () => circuit.state === 'half_open');
    await router.complete(ask());
    expect(circuit.state).toBe('open');
    await waitFor('half open again', () => circuit.state === 'half_open');
    primary.faults.push({ never: true });
    const controller = new AbortController();
    const probe = router.complete(ask('?', { signal: controller.signal }));
    await waitFor('the probe to arrive', () => primary.requests.length === 7);
    controller.abort(new Error('gone'));
    await expect(probe).rejects.toThrow('gone');
    await waitFor('a new probe', async () => (await router.complete(ask())).model === 'primary');
  });

  it('also opens by the share of failures, and by slow calls', async () => {
    const byShare = { ...breaker(60), consecutiveFailures: 1_000, callsMin: 10, errorRate: 0.3 };
    await open({ attemptsMax: 1, breaker: byShare });
    for (let n = 0; n < 12; n += 1) {
      primary.faults.push(n % 2 ? { status: 500 } : {});
      await router.complete(ask());
    }
    expect(router.all[0]!.breaker.state).toBe('open');
    await router.close();
    primary.reset();
    await open({ breaker: { ...breaker(60), callsMin: 3, slowRate: 0.9, slowCallMs: 1 } });
    primary.behave = () => ({ delayMs: 20 });
    for (let n = 0; n < 3; n += 1) await router.complete(ask());
    expect(router.all[0]!.breaker.state).toBe('open');
  });

  it('is not opened by requests that the model refuses', async () => {
    await open({ breaker: breaker(60) });
    primary.script.push({ fault: { status: 400 }, times: 20 });
    for (let n = 0; n < 20; n += 1) await router.complete(ask());
    expect(router.all[0]!.breaker.state).toBe('closed');
  });
});

describe('the bulkhead', () => {
  it('runs so many at a time, lets so many wait and turns the rest away at once', async () => {
    const limits = { ...modelAt('x', '').limits, concurrency: 4, queue: 4 };
    router = await routerOver([modelAt('primary', primary.url, { limits })], {}, ledger);
    primary.script.push({ fault: { delayMs: 300 }, times: 0 });
    const start = performance.now();
    const turnedAway: number[] = [];
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, async () => {
        try {
          return await router.complete(ask());
        } catch (error) {
          turnedAway.push(performance.now() - start);
          throw error;
        }
      }),
    );
    const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused).toHaveLength(32);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ code: 'model_overloaded', retryable: true });
    expect(Math.max(...turnedAway)).toBeLessThan(250); // before the first answer was there
    expect(primary.requests).toHaveLength(8);
  });

  it('keeps to requests and tokens a minute without asking the provider', async () => {
    const limits = { ...modelAt('x', '').limits, requestsPerMinute: 3 };
    await open({ limits });
    const models = [];
    for (let n = 0; n < 5; n += 1) models.push((await router.complete(ask())).model);
    expect(models).toEqual(['primary', 'primary', 'primary', 'backup', 'backup']);
    await router.close();
    await open({ limits: { ...limits, requestsPerMinute: null, tokensPerMinute: 15 } });
    const second = [];
    for (let n = 0; n < 4; n += 1) second.push((await router.complete(ask())).model);
    expect(second).toEqual(['primary', 'primary', 'backup', 'backup']); // six tokens each
  });
});

describe('streams', () => {
  async function read(request = ask()) {
    const events: RoutedEvent[] = [];
    for await (const event of router.stream(request)) events.push(event);
    return events;
  }
  const textAfterRestart = (events: RoutedEvent[]) =>
    events
      .slice(events.findLastIndex(({ type }) => type === 'restart') + 1)
      .map((event) => (event.type === 'text' ? event.text : ''))
      .join('');

  it('falls back silently when nothing was sent yet', async () => {
    await open({ attemptsMax: 1 });
    primary.faults.push({ status: 503 });
    const events = await read();
    expect(events.some(({ type }) => type === 'restart')).toBe(false);
    expect(textAfterRestart(events)).toBe('from the backup');
  });

  it.each<[string, Fault]>([
    ['is cut by FIN', { cutAfterBytes: 600 }],
    ['is cut by RST', { cutAfterBytes: 600, cutBy: 'rst' }],
    ['ends without its end mark', { truncated: true }],
    ['stalls', { stallAfterTokens: 2 }],
    ['has an event that is no JSON', { malformedJson: true }],
    ['reports an error', { errorEvent: true }],
  ])('says restart and gives the clean text of the next model when a stream %s', async (_what, fault) => {
    await open({
      attemptsMax: 1,
      timeouts: { connectMs: 1_000, firstTokenMs: 5_000, betweenTokensMs: 400, totalMs: 20_000 },
    });
    primary.faults.push(fault);
    const events = await read();
    expect(events[0]).toMatchObject({ type: 'text', model: 'primary' });
    expect(events.filter(({ type }) => type === 'restart')).toHaveLength(1);
    expect(textAfterRestart(events)).toBe('from the backup');
    expect(events.at(-1)).toMatchObject({
      type: 'end',
      completion: { text: 'from the backup', model: 'backup' },
    });
    expect(ledger.calls[0]).toMatchObject({ outcome: 'failed', isEstimated: true, isStreamed: true });
    expect(ledger.calls[0]!.usage.outputTokens).toBeGreaterThan(0); // what was received is paid for
  });

  it('ends with an error, not with half an answer, when every model fails', async () => {
    await open({ attemptsMax: 1 }, { attemptsMax: 1 });
    primary.faults.push({ truncated: true });
    backup.faults.push({ truncated: true });
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of router.stream(ask())) types.push(type);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'model_unavailable' });
    expect(types.filter((type) => type === 'restart')).toHaveLength(2);
    expect(types).not.toContain('end');
  });

  it('aborts at the provider within 100 ms when the client goes away, a hundred times without a leak (row 18)', async () => {
    await open({ limits: { ...modelAt('x', '').limits, concurrency: 128 } });
    primary.script.push({ fault: { betweenTokensMs: 20_000 }, times: 0 });
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const streams = controllers.map(async ({ signal }) => {
      for await (const event of router.stream(ask('?', { signal }))) void event;
    });
    await waitFor('all to stream', () => primary.open === 100);
    const start = performance.now();
    for (const controller of controllers) controller.abort(new Error('gone'));
    const results = await Promise.allSettled(streams);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    await waitFor('the provider to notice', () => primary.open === 0);
    console.log(`aborted at the provider after ${Math.round(performance.now() - start)} ms`);
    expect(primary.aborted).toBe(100);
    expect(ledger.calls.map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 100 }, () => 'cancelled'),
    );
    expect(router.all[0]!.breaker.state).toBe('closed'); // a client that leaves says nothing about the model
    primary.script.length = 0;
    expect(textAfterRestart(await read())).toContain('primary');
  });

  it('reads no faster than its reader: a slow one makes nothing pile up (row 19)', async () => {
    await open();
    const words = 400_000;
    primary.responder = () => 'word '.repeat(words);
    const before = process.memoryUsage().arrayBuffers;
    let seen = 0;
    for await (const event of router.stream(ask())) {
      if (event.type === 'text') seen += 1;
      if (seen === 50) {
        await new Promise((resolve) => {
          setTimeout(resolve, 500);
        });
        break;
      }
    }
    // 60 MB of events wait at the server; the connection holds a few hundred kilobytes of them.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30 * 1024 * 1024);
    await waitFor('the provider to notice', () => primary.open === 0);
  });
});

describe('hedging', () => {
  it('asks a second model when the first is slower than usual, takes the first answer and ends the other', async () => {
    await open();
    for (let n = 0; n < 16; n += 1) await router.complete(ask());
    ledger.calls.length = 0;
    primary.faults.push({ delayMs: 15_000 });
    const answer = await router.complete(ask('?', { hedge: true }));
    expect(answer).toMatchObject({ model: 'backup', text: 'from the backup' });
    await waitFor('the slow one to be ended', () => primary.aborted === 1);
    expect(ledger.calls.map(({ model, outcome, isHedge }) => [model, outcome, isHedge])).toEqual([
      ['backup', 'ok', true],
      ['primary', 'cancelled', false],
    ]);
    expect(answer.spent.inputTokens).toBe(2); // both were asked the one-token question
  });

  it('asks no second model for calls that are not marked', async () => {
    await open();
    for (let n = 0; n < 16; n += 1) await router.complete(ask());
    primary.faults.push({ delayMs: 300 });
    expect(await router.complete(ask())).toMatchObject({ model: 'primary' });
    expect(backup.requests).toHaveLength(0);
  });
});

describe('the ledger', () => {
  it('has a row for each attempt, with the usage of the provider and exact costs', async () => {
    await open();
    primary.usage = {
      prompt_tokens: 1_000,
      completion_tokens: 50,
      prompt_tokens_details: { cached_tokens: 400 },
      completion_tokens_details: { reasoning_tokens: 20 },
    };
    primary.faults.push({ status: 500 });
    const { spent } = await router.complete(ask());
    expect(outcomes()).toEqual([
      ['primary', 'failed', 'server_error'],
      ['primary', 'ok', null],
    ]);
    expect(ledger.calls[1]).toMatchObject({
      attempt: 2,
      isEstimated: false,
      costMicroUsd: 600 * 2 + 400 * 1 + 50 * 8,
      usage: { inputTokens: 1_000, cachedInputTokens: 400, outputTokens: 50, reasoningTokens: 20 },
    });
    expect(spent).toEqual({ inputTokens: 1_000, outputTokens: 50, isEstimated: false, costMicroUsd: 2_000 });
  });

  it.each([true, false])(
    'counts for itself where the provider does not say (streamed: %s)',
    async (isStreamed) => {
      await open();
      primary.sendsUsage = false;
      if (isStreamed) for await (const event of router.stream(ask())) void event;
      else await router.complete(ask());
      expect(ledger.calls[0]).toMatchObject({ isEstimated: true, outcome: 'ok' });
      expect(ledger.calls[0]!.usage).toMatchObject({
        inputTokens: primary.bill.inputTokens,
        outputTokens: primary.bill.outputTokens,
      });
    },
  );
});

import { describe, expect, it } from 'vitest';
import { budgetsOf } from './budgets.js';
import { noUsage } from './model-call.js';
import { costAtMost, costMicroUsd, priceAt } from './price.js';

const price = { from: '2026-01-01', input: 2, cachedInput: 0.5, cacheWrite: 2.5, output: 8, reasoning: 10 };

describe('costMicroUsd', () => {
  it('prices plain, cached and cache-writing input, said and thought output, each once', () => {
    const usage = {
      inputTokens: 1_000,
      cachedInputTokens: 600,
      cacheWriteInputTokens: 100,
      outputTokens: 50,
      reasoningTokens: 20,
    };
    expect(costMicroUsd(usage, price)).toBe(300 * 2 + 600 * 0.5 + 100 * 2.5 + 30 * 8 + 20 * 10);
  });

  it('is a whole number, rounded half up, exact where floats are not', () => {
    const cheap = { ...price, input: 0.1, output: 0.4 };
    expect(costMicroUsd({ ...noUsage, inputTokens: 4 }, cheap)).toBe(0);
    expect(costMicroUsd({ ...noUsage, inputTokens: 5 }, cheap)).toBe(1);
    expect(costMicroUsd({ ...noUsage, inputTokens: 3_000_000_001 }, { ...cheap, input: 0.7 })).toBe(
      2_100_000_001,
    );
  });

  it('is null without a price, and nothing for no tokens', () => {
    expect(costMicroUsd({ ...noUsage, inputTokens: 1 }, null)).toBeNull();
    expect(costMicroUsd(noUsage, null)).toBe(0);
  });

  it('is never more than was reserved', () => {
    const usage = {
      ...noUsage,
      inputTokens: 33,
      cacheWriteInputTokens: 33,
      outputTokens: 77,
      reasoningTokens: 77,
    };
    expect(costAtMost(33, 77, price)).toBeGreaterThanOrEqual(costMicroUsd(usage, price)!);
  });
});

describe('priceAt', () => {
  it('takes the latest price that holds on the day', () => {
    const prices = [price, { ...price, from: '2026-06-01', input: 1 }];
    expect(priceAt(prices, new Date('2026-05-31T23:59:59Z'))!.input).toBe(2);
    expect(priceAt(prices, new Date('2026-06-01T00:00:00Z'))!.input).toBe(1);
    expect(priceAt(prices, new Date('2025-12-31T00:00:00Z'))).toBeNull();
  });
});

describe('budgetsOf', () => {
  const budgets = [
    { per: 'tenant' as const, subject: null, period: 'month' as const, microUsd: 100 },
    { per: 'key' as const, subject: null, period: 'day' as const, microUsd: 10 },
    { per: 'key' as const, subject: 'vip', period: 'day' as const, microUsd: 50 },
    { per: 'model' as const, subject: 'gpt', period: 'day' as const, microUsd: 70 },
  ];
  const now = new Date('2026-12-31T12:00:00Z');
  const names = (keyId: string | null, model: string) =>
    budgetsOf(budgets, { tenantId: 't', keyId, model }, now).map(({ name, microUsdMax }) => [
      name,
      microUsdMax,
    ]);

  it('finds the budgets of tenant, key and model; one that names its subject stands for the general one', () => {
    expect(names('k1', 'gpt')).toEqual([
      ['tenant/month', 100],
      ['key:k1/day', 10],
      ['model:gpt/day', 70],
    ]);
    expect(names('vip', 'other')).toEqual([
      ['tenant/month', 100],
      ['key:vip/day', 50],
    ]);
    expect(names(null, 'other')).toEqual([['tenant/month', 100]]);
  });

  it('says when the next period begins, in UTC', () => {
    const [month, day] = budgetsOf(budgets, { tenantId: 't', keyId: 'k', model: 'x' }, now);
    expect(month).toMatchObject({ periodStart: '2026-12-01', resetsAt: new Date('2027-01-01T00:00:00Z') });
    expect(day).toMatchObject({ periodStart: '2026-12-31', resetsAt: new Date('2027-01-01T00:00:00Z') });
  });
});

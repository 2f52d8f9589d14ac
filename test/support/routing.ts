import type { ModelConfig, ModelsConfig } from '#libs/config';
import { readConfig } from '#libs/config';
import { Ledger, type ModelCall, NoBreakerShare, openRouter, type RoutedRequest } from '#libs/model-routing';

const { models: defaults } = readConfig({ CHAT_BASE_URL: 'http://unused/v1', CHAT_MODEL: 'any' });

/** A model of a mock server with short limits; what is given wins. */
export function modelAt(name: string, baseUrl: string, given: Partial<ModelConfig> = {}): ModelConfig {
  const model = defaults.models.any!;
  return {
    ...model,
    name,
    model: name,
    baseUrl,
    prices: [{ from: '2020-01-01', input: 2, cachedInput: 1, cacheWrite: 2, output: 8, reasoning: 8 }],
    ...given,
    timeouts: {
      connectMs: 1_000,
      firstTokenMs: 10_000,
      betweenTokensMs: 10_000,
      totalMs: 20_000,
      ...given.timeouts,
    },
    breaker: { ...model.breaker, ...given.breaker },
    limits: { ...model.limits, ...given.limits },
  };
}

export function modelsConfig(models: ModelConfig[], given: Partial<ModelsConfig> = {}): ModelsConfig {
  return {
    ...defaults,
    models: Object.fromEntries(models.map((model) => [model.name, model])),
    chains: { default: models.map(({ name }) => name) },
    ...given,
  };
}

/** Keeps what a ledger would write. */
export class RecordingLedger extends Ledger {
  readonly calls: ModelCall[] = [];

  budgetsOf() {
    return [];
  }

  reserve() {
    return Promise.resolve(null);
  }

  release() {
    return Promise.resolve();
  }

  record(call: ModelCall) {
    this.calls.push(call);
    return Promise.resolve();
  }
}

export async function routerOver(
  models: ModelConfig[],
  given: Partial<ModelsConfig> = {},
  ledger: Ledger = new RecordingLedger(),
) {
  return openRouter(modelsConfig(models, given), ledger, new NoBreakerShare());
}

export function ask(text = 'When is the oil changed?', given: Partial<RoutedRequest> = {}): RoutedRequest {
  return {
    chain: 'default',
    context: { requestId: 'r', keyId: null, purpose: 'answer' },
    messages: [{ role: 'user', content: text }],
    temperature: 0,
    maxOutputTokens: 50,
    ...given,
  };
}

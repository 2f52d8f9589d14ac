import { randomUUID } from 'node:crypto';
import type { PriceConfig } from '#libs/config';
import { embeddingCalls } from '#libs/metrics';
import { countTokens } from '#libs/text-analysis';
import { failureKindOf, wasBegun } from '../model-failure.js';
import type { EmbeddingAttempt } from '../ports/embedding-model.js';
import { countSpent } from './count-spent.js';
import type { Ledger } from './ledger.js';
import { noUsage } from './model-call.js';
import { costMicroUsd, priceAt } from './price.js';

/** Books each request to an embedding server. One may serve several questions, so it belongs to no answer. */
export function bookEmbeddings(
  ledger: Ledger,
  model: string,
  provider: string,
  prices: readonly PriceConfig[],
) {
  return ({ texts, inputTokens, latencyMs, error }: EmbeddingAttempt): void => {
    const failed = error !== undefined;
    const isEstimated = inputTokens === null || (failed && wasBegun(error));
    const counted = isEstimated ? texts.reduce((sum, text) => sum + countTokens(text), 0) : inputTokens;
    const usage = { ...noUsage, inputTokens: counted };
    const cost = costMicroUsd(usage, priceAt(prices));
    embeddingCalls.inc({ model, outcome: failed ? 'failed' : 'ok' });
    countSpent(model, usage, cost);
    void ledger.record({
      requestId: null,
      keyId: null,
      purpose: 'embed',
      id: randomUUID(),
      kind: 'embedding',
      model,
      provider,
      providerModel: model,
      attempt: 1,
      outcome: failed ? 'failed' : 'ok',
      failureKind: failed ? failureKindOf(error) : null,
      isStreamed: false,
      isHedge: false,
      usage,
      isEstimated,
      costMicroUsd: cost,
      latencyMs,
      firstTokenMs: null,
    });
  };
}

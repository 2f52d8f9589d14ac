import { modelCost, modelTokens } from '#libs/metrics';
import type { ChatUsage } from '../ports/chat-model.js';

/** Adds what one call used to the metrics. */
export function countSpent(model: string, usage: ChatUsage, costMicroUsd: number | null): void {
  const byKind = {
    input: usage.inputTokens,
    cached_input: usage.cachedInputTokens,
    output: usage.outputTokens,
    reasoning: usage.reasoningTokens,
  };
  for (const [kind, count] of Object.entries(byKind)) {
    if (count > 0) modelTokens.inc({ model, kind }, count);
  }
  if (costMicroUsd !== null) modelCost.inc({ model }, costMicroUsd / 1_000_000);
}

import type { PriceConfig } from '#libs/config';
import type { ChatUsage } from '../ports/chat-model.js';

/** The price that holds on a day; null before the first. */
export function priceAt(prices: readonly PriceConfig[], at = new Date()): PriceConfig | null {
  const day = at.toISOString().slice(0, 10);
  return prices.findLast(({ from }) => from <= day) ?? null;
}

/**
 * Millionths of a US dollar, rounded half up, in whole numbers throughout: dollars a million tokens are micro-dollars a
 * token, and prices have at most six decimals.
 */
export function costMicroUsd(usage: ChatUsage, price: PriceConfig | null): number | null {
  if (usage.inputTokens + usage.outputTokens === 0) return 0;
  if (!price) return null;
  const { inputTokens, cachedInputTokens, cacheWriteInputTokens, outputTokens, reasoningTokens } = usage;
  const plainInput = Math.max(0, inputTokens - cachedInputTokens - cacheWriteInputTokens);
  const plainOutput = Math.max(0, outputTokens - reasoningTokens);
  const millionths =
    part(plainInput, price.input) +
    part(cachedInputTokens, price.cachedInput) +
    part(cacheWriteInputTokens, price.cacheWrite) +
    part(plainOutput, price.output) +
    part(Math.min(reasoningTokens, outputTokens), price.reasoning);
  return Number((millionths + 500_000n) / 1_000_000n);
}

function part(tokens: number, usdPerMillion: number): bigint {
  return BigInt(tokens) * BigInt(Math.round(usdPerMillion * 1_000_000));
}

/** The most that a call can cost: nothing cached, all of the output thought or said, whatever costs more. */
export function costAtMost(inputTokens: number, outputTokensMax: number, price: PriceConfig): number {
  const input = Math.max(price.input, price.cacheWrite);
  const output = Math.max(price.output, price.reasoning);
  return Math.ceil(inputTokens * input + outputTokensMax * output);
}

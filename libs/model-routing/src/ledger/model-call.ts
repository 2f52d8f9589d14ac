import type { ChatUsage } from '../ports/chat-model.js';

export type CallOutcome = 'ok' | 'failed' | 'cancelled' | 'cached';

/** Who asks and for what: goes into the ledger with each attempt. */
export interface CallContext {
  /** Attempts of one answer share it. Null: one call for several answers. */
  requestId: string | null;
  /** The API key that pays; null: there is none. */
  keyId: string | null;
  purpose: string;
}

/** One attempt, as the ledger keeps it. */
export interface ModelCall extends CallContext {
  id: string;
  kind: 'chat' | 'embedding' | 'rerank';
  model: string;
  provider: string;
  providerModel: string | null;
  attempt: number;
  outcome: CallOutcome;
  failureKind: string | null;
  isStreamed: boolean;
  isHedge: boolean;
  usage: ChatUsage;
  /** The provider did not say what it counted. */
  isEstimated: boolean;
  /** Null: the model has no price. */
  costMicroUsd: number | null;
  latencyMs: number;
  firstTokenMs: number | null;
}

export const noUsage: ChatUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

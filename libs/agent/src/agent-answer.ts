import type { MetadataFilter } from '#libs/corpus';
import type { ChatMessage } from '#libs/model-routing';
import type { Answer, Spending } from '#libs/query';
import type { RetrievalMode, Source } from '#libs/retrieval';

export interface AgentQuestion {
  question: string;
  /** What was said before, oldest first. */
  history: readonly ChatMessage[];
  collection: string;
  /** Of each search. */
  topK: number;
  mode: RetrievalMode;
  filter?: MetadataFilter | undefined;
  temperature: number;
  /** A model or a chain. */
  model?: string | undefined;
  requestId: string;
  keyId?: string | undefined;
  /** On getting the history ready; counts as the answer's. */
  spentBefore?: Spending | undefined;
  signal: AbortSignal;
}

/** One use of a tool. */
export interface AgentStep {
  tool: string;
  arguments: Record<string, unknown>;
  /** As they are numbered for the model; citations have numbers of their own. */
  sourceNumbers: number[];
  /** What the model was told instead of a result. */
  error: string | null;
  latencyMs: number;
}

export interface AgentAnswer extends Answer {
  /** What the model has read, in the order in which it was found. */
  sources: Source[];
  steps: AgentStep[];
  totalMs: number;
}

/** Tokens add up to the answer, unless a restart makes those before it void. */
export type AgentEvent =
  | { type: 'step'; step: AgentStep }
  | { type: 'token'; text: string }
  | { type: 'restart'; reason: string }
  | { type: 'final'; answer: AgentAnswer };

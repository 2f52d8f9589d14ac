import type { AgentAnswer, AgentStep } from '#libs/agent';
import { presentCitation, presentSource } from '../query/query.presenter.js';
import type { QueryResponse } from '../query/query.schema.js';
import type { AgentOutput, RagOutput } from './langserve.schema.js';

export function presentDocument({ text, ...metadata }: QueryResponse['sources'][number]) {
  return { page_content: text, metadata, type: 'Document' as const };
}

export function presentRagOutput({ sources, ...answer }: QueryResponse): RagOutput {
  return { ...answer, context: sources.map(presentDocument) };
}

export function presentAgentOutput(
  answer: AgentAnswer,
  requestId: string,
  conversationId?: string,
): AgentOutput {
  return {
    output: answer.text,
    status: answer.status,
    citations: answer.citations.map(presentCitation),
    unsupported: answer.unsupported,
    context: answer.sources.map((source) => presentDocument(presentSource(source))),
    steps: answer.steps.map(presentStep),
    latency_ms: Math.round(answer.totalMs * 100) / 100,
    tokens: answer.tokens,
    cost: { micro_usd: answer.costMicroUsd },
    model: answer.model,
    ...(conversationId !== undefined && { conversation_id: conversationId }),
    request_id: requestId,
    degraded_reasons: answer.degradedReasons,
  };
}

export function presentStep({ tool, arguments: given, sourceNumbers, error, latencyMs }: AgentStep) {
  return {
    tool,
    arguments: given,
    source_numbers: sourceNumbers,
    error,
    latency_ms: Math.round(latencyMs * 100) / 100,
  };
}

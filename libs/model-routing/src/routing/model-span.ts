import type { ModelConfig } from '#libs/config';
import { noteContent, type Span, SpanKind, startSpan } from '#libs/tracing';
import type { ModelCall } from '../ledger/model-call.js';
import type { RoutedRequest } from './routed-call.js';

/** Our adapters' names, as OpenTelemetry calls them. */
const providers: Record<string, string> = { anthropic: 'anthropic', openai: 'openai' };

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ */
export function startModelSpan(
  { name, model, provider, baseUrl }: Pick<ModelConfig, 'name' | 'model' | 'provider' | 'baseUrl'>,
  request: RoutedRequest,
): Span {
  const span = startSpan(`chat ${model}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': providers[provider] ?? provider,
      'gen_ai.request.model': model,
      'gen_ai.request.temperature': request.temperature,
      'gen_ai.request.max_tokens': request.maxOutputTokens,
      'ragstone.model': name,
      'ragstone.purpose': request.context.purpose,
      ...serverOf(baseUrl),
    },
  });
  noteContent(span, () => ({ inputs: { messages: request.messages } }));
  return span;
}

export function endModelSpan(span: Span, call: ModelCall): void {
  span.setAttributes({
    'gen_ai.usage.input_tokens': call.usage.inputTokens,
    'gen_ai.usage.output_tokens': call.usage.outputTokens,
    'ragstone.attempt': call.attempt,
    'ragstone.outcome': call.outcome,
    ...(call.providerModel !== null && { 'gen_ai.response.model': call.providerModel }),
    ...(call.costMicroUsd !== null && { 'ragstone.cost_micro_usd': call.costMicroUsd }),
    ...(call.firstTokenMs !== null && { 'ragstone.first_token_ms': call.firstTokenMs }),
  });
  span.end();
}

function serverOf(baseUrl: string | null) {
  if (baseUrl === null || !URL.canParse(baseUrl)) return {};
  const { hostname, port, protocol } = new URL(baseUrl);
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
}

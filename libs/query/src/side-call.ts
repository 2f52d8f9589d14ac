import type { CallContext, ChatMessage, ModelRouter } from '#libs/model-routing';
import type { Spending } from './answer.js';

export interface SideCall {
  chain: string;
  context: CallContext;
  messages: ChatMessage[];
  outputTokensMax: number;
  signal?: AbortSignal | undefined;
}

/**
 * A small task for a model beside the answer: null when there is no model for it, or none that answers; then the answer is
 * made without. What was spent counts in either case. @throws the signal's reason
 */
export async function sideCall(
  router: ModelRouter,
  { chain, context, messages, outputTokensMax, signal }: SideCall,
): Promise<{ text: string | null; spent: Spending }> {
  const request = {
    chain,
    context,
    messages,
    temperature: 0,
    maxOutputTokens: outputTokensMax,
    ...(signal && { signal }),
  };
  const call = router.open(request);
  if (!router.hasModels(chain)) return { text: null, spent: call.spent };
  try {
    const { text } = await router.complete(request, call);
    return { text: text.trim() || null, spent: call.spent };
  } catch {
    signal?.throwIfAborted();
    return { text: null, spent: call.spent };
  }
}

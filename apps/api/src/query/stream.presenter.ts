import type { AnswerEvent } from '#libs/query';
import type { StreamSource } from './answer-streams.js';
import { presentAnswer, presentCitation, presentSource } from './query.presenter.js';

/** As it is sent: usage goes out by itself just before the whole answer. */
export function* presentEvent(
  event: AnswerEvent,
  { request: { id: requestId }, conversationId }: Pick<StreamSource, 'request' | 'conversationId'>,
): Generator<{ name: string; data: unknown }> {
  switch (event.type) {
    case 'search_results':
      yield {
        name: 'search_results',
        data: {
          request_id: requestId,
          sources: event.sources.map(presentSource),
          degraded_reasons: event.degradedReasons,
        },
      };
      return;
    case 'token':
      yield { name: 'token', data: { text: event.text } };
      return;
    case 'citation':
      yield { name: 'citation', data: presentCitation(event.citation) };
      return;
    case 'restart':
      yield { name: 'restart', data: { reason: event.reason } };
      return;
    case 'final': {
      const answer = presentAnswer(event.answer, requestId, conversationId);
      const { tokens, cost, model, cache } = answer;
      yield { name: 'usage', data: { tokens, cost, model, cache } };
      yield { name: 'final', data: answer };
    }
  }
}

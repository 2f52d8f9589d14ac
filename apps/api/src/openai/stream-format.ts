import type { RoutedEvent } from '#libs/model-routing';
import type { Problem } from '../problem/problem.schema.js';
import type { StreamEvent } from '../query/answer-streams.js';
import type { SseEvent } from '../sse.js';

/** How a contract of OpenAI tells of an answer while it is made. */
export interface StreamFormat {
  /** Of an answer from documents. */
  answer(event: StreamEvent): Iterable<SseEvent>;
  /** Before the first event of a model that is asked without documents. */
  begin(): Iterable<SseEvent>;
  completion(event: RoutedEvent): Iterable<SseEvent>;
  failure(problem: Problem): Iterable<SseEvent>;
}

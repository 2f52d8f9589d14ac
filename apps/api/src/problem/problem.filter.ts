import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RagError } from '#libs/errors';
import { isLangServeRoute } from '../langserve/is-langserve-route.js';
import { isOpenAiRoute, presentOpenAiError } from '../openai/openai-error.js';
import { asRagError, problemOf } from './problem-of.js';

const RETRY_AFTER_SECONDS = 2;

/** Every failure leaves as RFC 9457 problem+json, under /v1 as OpenAI's clients know it; what was not foreseen leaves without its text. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const failure = asRagError(error, request);
    if (failure.code === 'internal_error') this.logger.error('request failed unexpectedly', error);
    const problem = problemOf(failure, request.id);
    const { status } = problem;
    if (status === 503 || status === 429 || 'retryAfterMs' in failure.details)
      void reply.header('retry-after', String(retryAfterOf(failure)));
    void reply.status(status);
    if (isOpenAiRoute(request.url)) void reply.send(presentOpenAiError(problem));
    else {
      void reply.header('content-type', 'application/problem+json');
      // LangChain's client shows `message` and nothing else.
      void reply.send(isLangServeRoute(request.url) ? { ...problem, message: problem.detail } : problem);
    }
  }
}

function retryAfterOf({ details }: RagError): number {
  const { retry_after_seconds: seconds, retryAfterMs } = details;
  if (typeof retryAfterMs === 'number') return Math.ceil(retryAfterMs / 1_000);
  return typeof seconds === 'number' ? seconds : RETRY_AFTER_SECONDS;
}

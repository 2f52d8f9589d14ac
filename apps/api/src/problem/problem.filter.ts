import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RagError, RagErrorCode } from '#libs/errors';
import { httpRejected } from '#libs/metrics';
import { asRagError, problemOf } from './problem-of.js';
import type { Problem } from './problem.schema.js';

const RETRY_AFTER_SECONDS = 2;

const refusals: ReadonlySet<RagErrorCode> = new Set([
  'unauthenticated',
  'credentials_invalid',
  'scope_missing',
  'rate_limited',
  'overloaded',
]);

/** Every failure leaves as RFC 9457 problem+json; what was not foreseen leaves without its text. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const failure = asRagError(error, request);
    if (failure.code === 'internal_error') this.logger.error('request failed unexpectedly', error);
    if (refusals.has(failure.code)) httpRejected.inc({ reason: failure.code });
    const problem = problemOf(failure, request.id);
    const { status, retry_after_seconds: asked } = problem as Problem & { retry_after_seconds?: number };
    const challenge = challengeOf(failure);
    if (challenge) void reply.header('www-authenticate', challenge);
    if (status === 503 || status === 429 || asked !== undefined)
      void reply.header('retry-after', String(asked ?? RETRY_AFTER_SECONDS));
    void reply.status(status).header('content-type', 'application/problem+json').send(problem);
  }
}

/** RFC 6750: what the client should do about its credentials. */
function challengeOf({ code, message, details }: RagError): string | null {
  const realm = 'Bearer realm="ragstone"';
  if (code === 'unauthenticated') return realm;
  if (code === 'credentials_invalid')
    return `${realm}, error="invalid_token", error_description="${plain(message)}"`;
  if (code !== 'scope_missing') return null;
  return `${realm}, error="insufficient_scope", scope="${(details.scopes as string[]).join(' ')}"`;
}

/** A header takes neither quotes nor what is not ASCII. */
function plain(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]|["\\]/g, "'");
}

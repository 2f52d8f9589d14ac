import { createHash } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from '@nestjs/common';
import { callerName, IdempotentResponseRepository } from '#libs/access';
import { type Config, CONFIG } from '#libs/config';
import { runAsTenant } from '#libs/database';
import { RagError } from '#libs/errors';
import { idempotencyKeyOf } from '../indexing/index-request.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the Idempotency-Key that came with it; null: none, or it is settled. */
    idempotencyClaim: string | null;
  }
}

/** After the deadline the answer may still be on its way out. */
const CLAIM_GRACE_MS = 5_000;
const BODY_BYTES_MAX = 1024 * 1024;

/**
 * POST with an Idempotency-Key: the first request is answered, and its answer is kept for a day for those that come
 * again. Only what succeeded is kept: after a failure the same key may try again. Streams are not kept.
 */
export function keepAnswers(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const responses = app.get(IdempotentResponseRepository);
  const logger = new Logger('Idempotency');
  const claimMs = app.get<Config>(CONFIG).http.deadlineMs + CLAIM_GRACE_MS;

  // Most requests come without a key: for them no promise is made.
  fastify.addHook('preHandler', (request, reply, done) => {
    if (request.method !== 'POST' || !request.caller || request.rule!.idempotency === 'own') return done();
    const key = idempotencyKeyOf(request);
    if (key === null) return done();
    take(key, request, reply).then((isReplayed) => (isReplayed ? undefined : done()), done);
  });

  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.idempotencyClaim === null) return done(null, payload);
    runAsTenant(request.caller!.tenantId, () => settle(request, reply, payload))
      .catch((error: unknown) => logger.warn('an answer was not kept', { error }))
      .finally(() => done(null, payload));
  });

  /** @returns whether the answer is the one that was kept */
  async function take(key: string, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    if (request.rule!.idempotency === 'none') {
      throw new RagError(
        'invalid_request',
        `The answer of ${request.rule!.name} holds a secret and is not kept: send it without Idempotency-Key.`,
      );
    }
    const caller = [callerName(request.caller!), request.userId ?? ''].join('/');
    const claimed = await responses.claim({ caller, key, sha256: hashOf(request), claimMs });
    if ('saved' in claimed) {
      const { status, contentType, body } = claimed.saved;
      if (contentType) void reply.header('content-type', contentType);
      void reply.code(status).header('idempotency-replayed', 'true').send(body);
      return true;
    }
    request.idempotencyClaim = claimed.id;
    reply.raw.once('close', () => {
      if (request.idempotencyClaim === null) return;
      runAsTenant(request.caller!.tenantId, () => release(request)).catch((error: unknown) =>
        logger.warn('a claim was not released and ends by its time', { error }),
      );
    });
    return false;
  }

  async function settle(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> {
    const isKept = reply.statusCode < 300 && typeof payload === 'string' && payload.length <= BODY_BYTES_MAX;
    if (!isKept) return release(request);
    const contentType = (reply.getHeader('content-type') as string | undefined) ?? null;
    await responses.save(request.idempotencyClaim!, { status: reply.statusCode, contentType, body: payload });
    request.idempotencyClaim = null;
  }

  async function release(request: FastifyRequest): Promise<void> {
    const claim = request.idempotencyClaim!;
    request.idempotencyClaim = null;
    await responses.release(claim);
  }
}

function hashOf({ method, url, body }: FastifyRequest): Buffer {
  return createHash('sha256')
    .update(`${method} ${url}\n${JSON.stringify(body ?? null)}`)
    .digest();
}

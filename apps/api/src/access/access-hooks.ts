import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Admission, Authenticator, mayDo, RateLimiter } from '#libs/access';
import { type Config, CONFIG } from '#libs/config';
import { runAsTenant } from '#libs/database';
import { isRagError, RagError } from '#libs/errors';
import { CollectionService } from '#libs/indexing';
import { assertLocal } from './assert-local.js';
import { readCredential } from './credential.js';
import { readUser } from './request-caller.js';
import { isStream, type RouteRule } from './route-rules.js';
import { TenantStart } from './tenant-start.js';

/**
 * Who asks and whether it may, before the body is read; then, with the body there, for whom and how often. What follows
 * runs as the caller's tenant: hooks before the body run in another asynchronous context, so it is set after it.
 */
export function guardRoutes(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const authenticator = app.get(Authenticator);
  const limiter = app.get(RateLimiter);
  const tenants = new TenantStart(app.get(CollectionService));
  const config = app.get<Config>(CONFIG);

  fastify.addHook('onRequest', async (request) => {
    const wanted = wantedScopes(request.rule, config);
    if (!wanted) return;
    if (!authenticator.isRequired) assertLocal(request, config);
    const caller = await authenticator.authenticate(readCredential(request.headers), request.ip);
    if (!mayDo(caller, wanted)) {
      throw new RagError(
        'scope_missing',
        `${request.rule!.name} needs the scope ${wanted.join(' or ')}, which this key or token does not have.`,
        { details: { scopes: wanted } },
      );
    }
    request.caller = caller;
  });

  fastify.addHook('preValidation', (request, reply, done) => {
    const { caller } = request;
    if (!caller) return done();
    if (authenticator.isRequired && isStream(request)) endWithCredential(request, reply, authenticator);
    runAsTenant(caller.tenantId, () => {
      limit(request, reply, limiter)
        .then(() => tenants.ensure(caller.tenantId))
        .then(() => done(), done);
    });
  });
}

/** A stream may last for hours: it ends as soon as its key or token would no longer begin one. */
function endWithCredential(request: FastifyRequest, reply: FastifyReply, authenticator: Authenticator): void {
  const credential = readCredential(request.headers);
  const look = setInterval(() => {
    authenticator.authenticate(credential, request.ip).catch((error: unknown) => {
      if (isRagError(error) && error.code === 'credentials_invalid') request.raw.socket.destroy();
    });
  }, authenticator.cacheMs).unref();
  reply.raw.once('close', () => clearInterval(look));
}

/** Null: open. */
function wantedScopes(rule: RouteRule | null, { access }: Config) {
  if (!rule || rule.access === 'open') return null;
  if (rule.access !== 'metrics') return rule.access;
  return access.metrics === 'open' ? null : (['admin'] as const);
}

async function limit(request: FastifyRequest, reply: FastifyReply, limiter: RateLimiter): Promise<void> {
  request.userId = readUser(request);
  const { caller, userId, ip: address, rule } = request;
  const admission = await limiter.admit(caller!, { route: rule!.name, userId, address });
  if (!admission) return;
  setLimitHeaders(reply, admission);
  if (admission.isAllowed) return;
  const whose = { service: 'the whole service', user: 'one user', route: `one user on ${rule!.name}` };
  throw new RagError(
    'rate_limited',
    `More requests than are allowed for ${whose[admission.by]}. Try again in ${admission.retryAfterSeconds} s.`,
    { retryable: true, details: { retry_after_seconds: admission.retryAfterSeconds } },
  );
}

/** https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/06/ */
function setLimitHeaders({ raw }: FastifyReply, admission: Admission): void {
  const { burst, perSecond } = admission.limit;
  // On the response itself: an event stream goes past the reply.
  raw.setHeader('ratelimit-limit', String(burst));
  raw.setHeader('ratelimit-remaining', String(admission.remaining));
  raw.setHeader('ratelimit-reset', String(admission.resetSeconds));
  raw.setHeader('ratelimit-policy', `${burst};w=${Math.ceil(burst / perSecond)}`);
}

import type { FastifyRequest } from 'fastify';
import type { Caller } from '#libs/access';
import { RagError } from '#libs/errors';
import { userId as userSchema } from '../text.schema.js';
import type { RouteRule } from './route-rules.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null: there is no such route. */
    rule: RouteRule | null;
    /** Null on open routes. */
    caller: Caller | null;
    /** For whom the caller asks: the user of its key or token, or whom it names. */
    userId: string | null;
    /** As `performance.now()` has it. */
    arrivedAtMs: number;
    /** From its arrival to its answer. Known once its body is there. */
    deadlineMs: number;
    deadlineAt: number;
  }
}

const USER = /^[\x21-\x7e][\x20-\x7e]{0,199}$/;

/** Of a route that is not open. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (!caller) throw new Error('this route is open to everybody: it has no caller');
  return caller;
}

/** Who pays for an answer, and for whom it is. */
export interface Asker {
  keyId: string | null;
  userId: string | null;
}

export function askerOf(request: FastifyRequest): Asker {
  return { keyId: callerOf(request).keyId, userId: request.userId };
}

/**
 * Who asks, where the request may also say so in its query string, or deeper in its body than `user_id`.
 * @throws {RagError} user_not_allowed, invalid_request
 */
export function userAsked({ caller, userId }: FastifyRequest, named: string | undefined): string | null {
  const own = caller?.userId ?? null;
  if (own !== null && named !== undefined && named !== own) throw otherUser();
  if (userId !== null && named !== undefined && named !== userId) throw twoUsers();
  return userId ?? named ?? null;
}

/**
 * X-User-ID, or `user_id` of the body; only a caller without a user of its own may choose.
 * @throws {RagError} user_not_allowed, invalid_request
 */
export function readUser({ headers, body, caller }: FastifyRequest): string | null {
  const inHeader = headers['x-user-id'];
  const inBody = (body as { user_id?: unknown } | null | undefined)?.user_id;
  const named = inHeader ?? (isUser(inBody) ? inBody : undefined);
  if (inHeader !== undefined && (typeof inHeader !== 'string' || !USER.test(inHeader))) {
    throw new RagError('invalid_request', 'X-User-ID must be 1 to 200 visible ASCII characters.');
  }
  if (inHeader !== undefined && typeof inBody === 'string' && inBody !== inHeader) {
    throw twoUsers();
  }
  const own = caller?.userId ?? null;
  if (own !== null && named !== undefined && named !== own) {
    throw otherUser();
  }
  return own ?? (named as string | undefined) ?? null;
}

/** What is not one is refused with the rest of the body, which is looked at later. */
function isUser(given: unknown): given is string {
  return userSchema.safeParse(given).success;
}

function twoUsers(): RagError {
  return new RagError('invalid_request', 'X-User-ID and user_id name two users. Send one of them.');
}

function otherUser(): RagError {
  return new RagError(
    'user_not_allowed',
    'This key or token stands for one user, and the request names another.',
  );
}

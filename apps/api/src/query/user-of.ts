import type { FastifyRequest } from 'fastify';
import { RagError } from '#libs/errors';
import { userId } from './query.schema.js';

/** X-User-ID: whom a gateway in front says that the request is for. @throws {RagError} invalid_request */
export function userOfHeader(request: FastifyRequest): string | undefined {
  const given = request.headers['x-user-id'];
  if (given === undefined) return undefined;
  const parsed = userId.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new RagError('invalid_request', 'X-User-ID must be one name of 1 to 200 characters.');
}

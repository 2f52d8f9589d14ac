import type { FastifyRequest } from 'fastify';
import { type Config, isLoopback } from '#libs/config';
import { RagError } from '#libs/errors';

/**
 * Without authentication only this machine may ask, and a web page that somebody has open on it may not: neither with a
 * name of its own that leads here (DNS rebinding), nor across origins.
 * @throws {RagError} origin_not_allowed
 */
export function assertLocal({ headers, host }: FastifyRequest, { access }: Config): void {
  const name = host.replace(/:\d+$/, '');
  if (!isLoopback(name)) {
    throw new RagError(
      'origin_not_allowed',
      `Without authentication this service answers on loopback names alone, not as "${name.slice(0, 100)}". Set AUTH=on to put it behind a proxy.`,
    );
  }
  const { origin } = headers;
  if (origin === undefined || access.corsOrigins.includes('*') || access.corsOrigins.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new RagError(
    'origin_not_allowed',
    `Pages of ${origin.slice(0, 100)} may not use this service. List the origin in CORS_ORIGINS.`,
  );
}

import type { FastifyReply } from 'fastify';
import { RagError } from '#libs/errors';

/** Aborts when the connection closes before the reply was sent: nobody reads what would still cost money. */
export function whenClientLeaves(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.on('close', () => {
    if (reply.raw.writableFinished) return;
    controller.abort(
      new RagError('client_closed_request', 'The client closed the connection before the answer was there.'),
    );
  });
  return controller.signal;
}

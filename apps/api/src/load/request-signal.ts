import type { FastifyReply } from 'fastify';
import { RagError } from '#libs/errors';

/**
 * Aborts when the connection closes before the reply was sent, for nobody reads what would still cost money; and, with
 * a deadline, when that has passed since the request arrived.
 */
export function requestSignal(reply: FastifyReply, deadlineMs?: number): AbortSignal {
  const controller = new AbortController();
  const timer =
    deadlineMs === undefined
      ? undefined
      : setTimeout(
          () =>
            controller.abort(
              new RagError(
                'deadline_exceeded',
                `The answer was not there within ${deadlineMs} ms (HTTP_DEADLINE_MS).`,
                {
                  retryable: true,
                },
              ),
            ),
          reply.request.arrivedAtMs + deadlineMs - performance.now(),
        ).unref();
  reply.raw.on('close', () => {
    clearTimeout(timer);
    if (reply.raw.writableFinished) return;
    controller.abort(
      new RagError('client_closed_request', 'The client closed the connection before the answer was there.'),
    );
  });
  return controller.signal;
}

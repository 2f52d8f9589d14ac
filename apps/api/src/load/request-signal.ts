import type { FastifyReply } from 'fastify';
import { RagError } from '#libs/errors';

/**
 * Aborts when the request's deadline has passed, and when the connection closes before the reply was sent, for nobody
 * reads what would still cost money.
 */
export function requestSignal(reply: FastifyReply): AbortSignal {
  const { deadlineMs, deadlineAt } = reply.request;
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(deadlineExceeded(deadlineMs)),
    deadlineAt - performance.now(),
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

/** `work` with a signal that aborts after a time, too. For what is no request by itself: a tool's call, a question of a socket. */
export async function withDeadline<T>(
  deadlineMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(deadlineExceeded(deadlineMs)), deadlineMs).unref();
  try {
    return await work(AbortSignal.any([signal, controller.signal]));
  } finally {
    clearTimeout(timer);
  }
}

export function deadlineExceeded(deadlineMs: number): RagError {
  return new RagError(
    'deadline_exceeded',
    `The answer was not there within ${deadlineMs} ms (HTTP_DEADLINE_MS, HTTP_STREAM_DEADLINE_MS).`,
    { retryable: true },
  );
}

import websocket from '@fastify/websocket';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { CONFIG, type Config } from '#libs/config';
import { currentTenant, runAsTenant } from '#libs/database';
import { SOCKET_PROTOCOL } from '../access/credential.js';
import { Asking } from '../query/asking.js';
import { askMessageSchema, cancelMessageSchema, SocketAnswers } from '../query/socket-answers.js';
import { hasEnded, JobEvents } from './job-events.js';
import { problemOf } from '../problem/problem-of.js';
import { validationError } from '../problem/validation.js';
import { presentJob } from './job.presenter.js';

/** Room for the longest question. */
const MESSAGE_BYTES_MAX = 48 * 1024;
const BUFFER_BYTES_MAX = 1024 * 1024;
const SUBSCRIPTIONS_MAX = 100;
const PING_MS = 30_000;
const GOING_AWAY = 1001;

const messageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    job_id: z.uuid(),
    last_event_id: z.number().int().optional(),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), job_id: z.uuid() }),
  askMessageSchema,
  cancelMessageSchema,
]);

/**
 * GET /ws: `{"type": "subscribe", "job_id": "...", "last_event_id"?: n}` and then `{"type": "job", "id": n, "job": {...}}`
 * with every change, until the job has ended. `{"type": "ask", "id", "question", ...}` gets the events of POST /query/stream,
 * each with that id; `{"type": "cancel", "id"}` ends it. Errors come as `{"type": "error", "code", "detail", "job_id"?, "id"?}`.
 */
export async function setupJobSocket(app: NestFastifyApplication): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: MESSAGE_BYTES_MAX, handleProtocols: chooseProtocol },
  });
  const fastify = app.getHttpAdapter().getInstance();
  const { streamDeadlineMs: deadlineMs } = app.get<Config>(CONFIG).http;
  fastify.after(() => {
    fastify.get('/ws', { websocket: true }, (socket: WebSocket, request) =>
      serve(socket, request, { events: app.get(JobEvents), asking: app.get(Asking), deadlineMs }),
    );
  });
}

/** Never the one with the key in it, which a client may offer first. */
function chooseProtocol(offered: ReadonlySet<string>): string | false {
  return offered.has(SOCKET_PROTOCOL) && SOCKET_PROTOCOL;
}

function serve(
  socket: WebSocket,
  request: FastifyRequest,
  { events, asking, deadlineMs }: { events: JobEvents; asking: Asking; deadlineMs: number },
): void {
  const tenantId = currentTenant();
  const subscriptions = new Map<string, () => void>();
  const answers = new SocketAnswers(socket, asking, request, deadlineMs);
  const send = (message: object) => {
    if (socket.bufferedAmount > BUFFER_BYTES_MAX) socket.terminate();
    else socket.send(JSON.stringify(message));
  };
  const fail = (code: string, detail: string, jobId?: string) =>
    send({ type: 'error', code, detail, ...(jobId && { job_id: jobId }) });
  let isAlive = true;
  const ping = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS).unref();
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const message = isBinary ? undefined : jsonOf(data);
    const parsed = messageSchema.safeParse(message);
    if (!parsed.success) {
      const { detail } = problemOf(validationError(parsed.error.issues), '');
      const { id } = (message ?? {}) as { id?: unknown };
      send({ type: 'error', code: 'invalid_request', detail, ...(typeof id === 'string' && { id }) });
      return;
    }
    if (parsed.data.type === 'ask') return answers.ask(parsed.data);
    if (parsed.data.type === 'cancel') return answers.cancel(parsed.data.id);
    const { job_id: jobId } = parsed.data;
    subscriptions.get(jobId)?.();
    subscriptions.delete(jobId);
    if (parsed.data.type === 'unsubscribe') return;
    if (subscriptions.size >= SUBSCRIPTIONS_MAX) {
      fail('too_many_followers', `One connection follows at most ${SUBSCRIPTIONS_MAX} jobs.`, jobId);
      return;
    }
    const seen = parsed.data.last_event_id ?? 0;
    const stop = runAsTenant(tenantId, () =>
      events.follow(jobId, seen, {
        onChange: (job) => {
          if (job) send({ type: 'job', id: job.revision, job: presentJob(job) });
          else fail('job_not_found', `There is no job ${jobId}.`, jobId);
          if (!job || hasEnded(job)) subscriptions.delete(jobId);
        },
        onStop: () => socket.close(GOING_AWAY),
      }),
    );
    if (stop) subscriptions.set(jobId, stop);
    else fail('too_many_followers', 'Too many clients follow jobs here. Poll GET /jobs/{id} instead.', jobId);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearInterval(ping);
    for (const stop of subscriptions.values()) stop();
    answers.stop();
  });
}

function jsonOf(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString()) as unknown;
  } catch {
    return undefined;
  }
}

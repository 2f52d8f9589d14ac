import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Config, CONFIG } from '#libs/config';
import { RagError } from '#libs/errors';
import { isStream } from '../access/route-rules.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { LoadGate, type Work } from './load-gate.js';
import { SlowClients } from './slow-clients.js';

/** Before anything is read or looked up: a refusal must cost next to nothing. */
export function shedLoad(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const { http } = app.get<Config>(CONFIG);
  const delay = new EventLoopDelay();
  const gate = new LoadGate(http, delay);
  const slowClients = new SlowClients();
  fastify.server.maxConnections = http.connectionsMax;

  fastify.addHook('onRequest', (request, reply, done) => {
    slowClients.watch(request.raw, reply.raw);
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new RagError('unsupported_media_type', 'Send the body as it is, without Content-Encoding.');
    }
    if (isLimited(request)) {
      const work = workOf(request);
      if (request.rule!.isStream === 'asked') gate.assertInTime();
      else gate.assertRoom(work);
      if (work !== 'request') leaveWithReply(reply, gate.enter(work));
    }
    done();
  });

  // A body that takes its time does not count: only from here on does the request make work.
  fastify.addHook('preValidation', (request, reply, done) => {
    const isAsked = request.rule?.isStream === 'asked';
    const work = request.rule ? workOf(request) : 'request';
    request.deadlineMs = work === 'stream' ? http.streamDeadlineMs : http.deadlineMs;
    request.deadlineAt = request.arrivedAtMs + request.deadlineMs;
    if (isLimited(request) && (work === 'request' || isAsked)) {
      gate.assertRoom(work);
      leaveWithReply(reply, gate.enter(work));
    }
    done();
  });

  fastify.addHook('onClose', (_instance, done) => {
    delay.close();
    slowClients.close();
    done();
  });
}

/** Whoever asks whether the service lives must hear it. */
function isLimited({ rule }: FastifyRequest): boolean {
  return rule !== null && Array.isArray(rule.access);
}

function workOf(request: FastifyRequest): Work {
  if (isStream(request)) return 'stream';
  return request.headers['content-type']?.startsWith('multipart/') ? 'upload' : 'request';
}

function leaveWithReply(reply: FastifyReply, leave: () => void): void {
  reply.raw.once('close', leave);
}

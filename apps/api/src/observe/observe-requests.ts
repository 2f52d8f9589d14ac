import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { httpInFlight, httpRequests, httpSeconds } from '#libs/metrics';
import { type RequestContext, runInRequest } from '#libs/observability';
import { contextOf, failSpan, type Span, SpanKind, startSpan, withSpan } from '#libs/tracing';

declare module 'fastify' {
  interface FastifyRequest {
    observed: ObservedRequest | null;
  }
}

/** What machines ask for every few seconds: one line a request would drown the rest. */
const probes = new Set(['/health', '/ready', '/metrics']);

/** Counts, times and logs each request, and gives its id to whatever is logged on its way. */
export function observeRequests(
  app: NestFastifyApplication,
  log: Pick<Logger, 'debug' | 'info' | 'error'>,
): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.decorateRequest('observed', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    const observed = new ObservedRequest(request, log);
    request.observed = observed;
    // Fastify's onResponse never comes for a stream whose client has left.
    reply.raw.once('close', () => observed.end(reply));
    observed.run(done);
  });
  // A body is read outside of the request's context: its bytes come from the socket.
  fastify.addHook('preValidation', (request, _reply, done) => {
    if (request.observed) request.observed.run(done);
    else done();
  });
}

class ObservedRequest {
  private readonly startedAt = performance.now();
  private readonly context: RequestContext;
  private readonly span: Span;

  constructor(
    private readonly request: FastifyRequest,
    private readonly log: Pick<Logger, 'debug' | 'info' | 'error'>,
  ) {
    this.context = { requestId: request.id, notes: {} };
    httpInFlight.inc();
    this.span = startSpan(request.method, { kind: SpanKind.SERVER }, contextOf(request.headers));
  }

  run(work: () => void): void {
    withSpan(this.span, () => runInRequest(this.context, work));
  }

  end(reply: FastifyReply): void {
    const { method } = this.request;
    const ms = performance.now() - this.startedAt;
    const route = this.request.routeOptions.url ?? 'unmatched';
    const status = reply.statusCode;
    httpInFlight.dec();
    httpRequests.inc({ method, route, status });
    httpSeconds.observe({ method, route }, ms / 1_000);
    const level = status >= 500 ? 'error' : probes.has(route) ? 'debug' : 'info';
    const path = this.request.url.split('?', 1)[0]!;
    const fields = {
      request_id: this.context.requestId,
      method,
      route,
      path,
      status,
      latency_ms: Math.round(ms * 100) / 100,
      ...(!reply.raw.writableFinished && { aborted: true }),
      ...this.context.notes,
    };
    withSpan(this.span, () => this.log[level](fields, `${method} ${path} ${status} ${Math.round(ms)} ms`));
    this.span.updateName(`${method} ${route}`);
    this.span.setAttributes({
      'http.request.method': method,
      'http.route': route,
      'url.path': path,
      'http.response.status_code': status,
      'ragstone.request_id': this.context.requestId,
    });
    if (status >= 500) failSpan(this.span, { code: String(status) });
    this.span.end();
  }
}

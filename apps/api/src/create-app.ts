import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import multipart from '@fastify/multipart';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger, PinoLogger } from 'nestjs-pino';
import type { Config } from '#libs/config';
import { observeProcess } from '#libs/metrics';
import { newRequestId } from '#libs/observability';
import { projectVersion } from '#libs/project-files';
import { guardRoutes } from './access/access-hooks.js';
import { assertGuarded } from './access/assert-guarded.js';
import { setBrowserRules } from './access/browser-rules.js';
import { collectUndeclaredRoutes, ruleOf } from './access/route-rules.js';
import { AppModule } from './app.module.js';
import { keepAnswers } from './idempotency/idempotency-hooks.js';
import { setupJobSocket } from './jobs/job-socket.js';
import { shedLoad } from './load/load-hooks.js';
import { observeRequests } from './observe/observe-requests.js';
import { setupOpenApi } from './openapi/setup-openapi.js';
import { answerClientError, answerUnroutable } from './problem/client-error.js';
import { assertShallow } from './problem/json-depth.js';

/** Fastify's and Node's own defaults for these are none at all, a minute, or half a minute between two looks. */
const HEADERS_TIMEOUT_MS = 10_000;
const TIMEOUTS_CHECKED_MS = 2_000;
/** Slow bodies end earlier (SlowClients); this bounds large uploads. */
const REQUEST_TIMEOUT_MS = 900_000;
const CONNECTION_TIMEOUT_MS = 130_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** A connection is made anew after so many, so that load spreads over processes that were added. */
const REQUESTS_PER_SOCKET_MAX = 10_000;

/**
 * The whole service, not yet listening.
 * @throws {RagError} invalid_configuration when it would be open to others without authentication
 */
export async function createApp(config: Config): Promise<NestFastifyApplication> {
  assertGuarded(config);
  const { database } = config;
  observeProcess(
    { version: projectVersion(), role: 'api', engine: database.engine },
    database.engine === 'pglite' ? database.dataFolder : null,
  );
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config),
    new FastifyAdapter(serverOptions(config)),
    {
      logger: false, // a failed start is told once, by whoever called this
      abortOnError: false,
    },
  );
  app.useLogger(app.get(Logger));
  const undeclared = collectUndeclaredRoutes(app);
  setBrowserRules(app, config);
  await app.register(multipart, {
    limits: { fileSize: config.indexing.bytesMax, files: 2, fields: 20, fieldSize: 64 * 1024, parts: 30 },
  });
  const fastify = app.getHttpAdapter().getInstance();
  for (const name of ['rule', 'caller', 'userId', 'idempotencyClaim']) fastify.decorateRequest(name, null);
  for (const name of ['arrivedAtMs', 'deadlineMs', 'deadlineAt']) fastify.decorateRequest(name, 0);
  observeRequests(app, PinoLogger.root);
  fastify.addHook('onRequest', (request, _reply, done) => {
    request.arrivedAtMs = performance.now();
    request.rule = ruleOf(request);
    done();
  });
  // Ahead of what may refuse: its hook closes the socket of a WebSocket that is refused, and nothing else would.
  await setupJobSocket(app);
  shedLoad(app);
  guardRoutes(app);
  fastify.addHook('preValidation', (request, _reply, done) => {
    assertShallow(request.body);
    done();
  });
  keepAnswers(app);
  setupOpenApi(app, projectVersion());
  fastify.addHook('onReady', (done) => {
    if (undeclared.size > 0)
      app.get(Logger).warn('routes without a rule are for admins', { routes: [...undeclared] });
    done();
  });
  return app;
}

function serverOptions({ http }: Config): ConstructorParameters<typeof FastifyAdapter>[0] {
  const { bodyBytesMax, tls, trustProxies } = http;
  const node = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUTS_CHECKED_MS };
  return {
    bodyLimit: bodyBytesMax,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxRequestsPerSocket: REQUESTS_PER_SOCKET_MAX,
    genReqId: requestIdOf,
    routerOptions: { ignoreTrailingSlash: true }, // LangServe's own pages link to playground/
    clientErrorHandler: answerClientError,
    frameworkErrors: answerUnroutable,
    ...(trustProxies.length > 0 && { trustProxy: [...trustProxies] }),
    ...(tls
      ? { https: { ...node, cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) } }
      : { http: node }),
  } as ConstructorParameters<typeof FastifyAdapter>[0];
}

/** The caller's X-Request-Id where it is harmless, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : newRequestId();
}

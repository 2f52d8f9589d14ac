import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import multipart from '@fastify/multipart';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import type { Config } from '#libs/config';
import { projectVersion } from '#libs/project-files';
import { AppModule } from './app.module.js';
import { setupJobSocket } from './jobs/job-socket.js';
import { setupOpenApi } from './openapi/setup-openapi.js';

const REQUEST_TIMEOUT_MS = 120_000;
const CONNECTION_TIMEOUT_MS = 130_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;

/** The whole service, not yet listening. */
export async function createApp(config: Config): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: config.http.bodyBytesMax,
    requestTimeout: REQUEST_TIMEOUT_MS, // Fastify's own default for both is none at all
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    genReqId: requestIdOf,
    routerOptions: { ignoreTrailingSlash: true }, // LangServe's own pages link to playground/
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config), adapter, {
    logger: false, // a failed start is told once, by whoever called this
    abortOnError: false,
  });
  app.useLogger(app.get(Logger));
  await app.register(multipart, {
    limits: { fileSize: config.indexing.bytesMax, files: 2, fields: 20, fieldSize: 64 * 1024, parts: 30 },
  });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  setupOpenApi(app, projectVersion());
  await setupJobSocket(app);
  return app;
}

/** The caller's X-Request-Id where it is harmless, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

import 'reflect-metadata';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger, LoggerModule } from 'nestjs-pino';
import { WorkerModule } from '#apps/worker';
import { type Config, ConfigModule, readConfig } from '#libs/config';
import { Database } from '#libs/database';
import { IndexingModule, IndexingService, letQuestionsGoFirst } from '#libs/indexing';
import { JobQueue } from '#libs/jobs';
import { loggerOptions } from '#libs/observability';
import { type DocumentKind, Documents } from './documents.js';
import type { LoopDelay, Request, Submitted } from './messages.js';

const RESOLUTION_MS = 5;
const SUBMITS_AT_A_TIME = 8;

@Module({})
class AcceptingModule {}

/** What the api has of indexing, without HTTP. */
function accepting(config: Config) {
  const imports = [
    ConfigModule.forRoot(config),
    LoggerModule.forRoot(loggerOptions(config.log)),
    IndexingModule,
  ];
  return { module: AcceptingModule, imports };
}

/** Run with `accept`: takes documents in. Run with `work`: is a worker, as apps/worker starts it, and takes documents in, too. */
async function main(): Promise<void> {
  const config = readConfig();
  if (process.argv[2] === 'work') letQuestionsGoFirst();
  const module = process.argv[2] === 'accept' ? accepting(config) : WorkerModule.forRoot(config);
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  app.useLogger(app.get(Logger));
  const database = app.get(Database, { strict: false });
  const queue = app.get(JobQueue, { strict: false });
  const indexing = app.get(IndexingService, { strict: false });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let documents: Documents | undefined;

  async function answer(request: Request): Promise<unknown> {
    switch (request.kind) {
      case 'submit':
        documents ??= new Documents();
        return submit(indexing, documents, request.documents, request.first, request.count);
      case 'wake':
        return queue.wake();
      case 'open': {
        const [row] = await database.query<{ open: number; failed: number }>({
          text: `
            select count(*) filter (where status in ('queued', 'running'))::integer as open,
              count(*) filter (where status = 'failed')::integer as failed
            from index_jobs`,
        });
        return row;
      }
      case 'begin':
        delay.reset();
        return void delay.enable();
      case 'end':
        delay.disable();
        return {
          p50: Math.max(0, delay.percentile(50) / 1e6 - RESOLUTION_MS),
          p99: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
          max: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
        } satisfies LoopDelay;
    }
  }

  process.on('message', ({ id, request }: { id: number; request: Request }) => {
    answer(request).then(
      (reply) => process.send!({ id, reply }),
      (error: unknown) => process.send!({ id, error: String(error) }),
    );
  });
  process.once('SIGTERM', () => void app.close().finally(() => process.exit()));
  process.once('disconnect', () => process.exit());
  process.send!({ id: 0, reply: null });
}

async function submit(
  indexing: IndexingService,
  documents: Documents,
  kind: DocumentKind,
  first: number,
  count: number,
): Promise<Submitted> {
  const submitted = { tokens: 0, makingMs: 0 };
  let next = first;
  const client = async () => {
    while (next < first + count) {
      const number = next;
      next += 1;
      const start = performance.now();
      const { text, tokens } = documents.make(kind, number);
      submitted.tokens += tokens;
      submitted.makingMs += performance.now() - start;
      await indexing.submit({
        source: { kind: 'text', text },
        collection: 'default',
        title: null,
        externalId: null,
        metadata: {},
      });
    }
  };
  await Promise.all(Array.from({ length: SUBMITS_AT_A_TIME }, client));
  return submitted;
}

await main();

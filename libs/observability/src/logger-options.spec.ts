import { Writable } from 'node:stream';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger, LoggerModule } from 'nestjs-pino';
import { expect, it } from 'vitest';
import { loggerOptions } from './logger-options.js';

it('writes the fields of a message, and errors with their stacks', async () => {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const { pinoHttp } = loggerOptions({ level: 'info', pretty: false });
  @Module({ imports: [LoggerModule.forRoot({ pinoHttp: [pinoHttp as object, stream] })] })
  class LoggingModule {}
  const app = await NestFactory.createApplicationContext(LoggingModule, { logger: false });
  const own = app.get(Logger); // as Nest's own calls it: message, fields, context
  own.log('documents stored', { documentId: 'd', count: 3 }, 'StoreSpec');
  own.error('a job failed', { jobId: 'j', error: new Error('why') }, 'StoreSpec');
  own.warn('plain', 'StoreSpec');
  await app.close();
  const [stored, failed, plain] = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ context }) => context === 'StoreSpec');
  expect(stored).toMatchObject({ msg: 'documents stored', documentId: 'd', count: 3 });
  expect(failed).toMatchObject({ msg: 'a job failed', jobId: 'j', error: { message: 'why', type: 'Error' } });
  expect(plain).toMatchObject({ msg: 'plain' });
});

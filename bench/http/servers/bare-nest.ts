import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Body, Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { answerParent } from './answer-parent.js';
import { smallAnswer } from './small-answer.js';

@Controller()
class SearchController {
  @Post('search')
  @HttpCode(200)
  search(@Body() { question }: { question: string }) {
    return smallAnswer(question === '' ? '' : randomUUID());
  }
}

@Module({ controllers: [SearchController] })
class SearchModule {}

const app = await NestFactory.create<NestFastifyApplication>(SearchModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as { port: number };
answerParent({ url: `http://127.0.0.1:${port}` }, () => app.close());

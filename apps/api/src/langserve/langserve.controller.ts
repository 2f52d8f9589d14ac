import { Body, Get, Header, HttpCode, Logger, type OnModuleDestroy, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RagError } from '#libs/errors';
import { newRequestId } from '#libs/observability';
import { askerOf, userAsked } from '../access/request-caller.js';
import { requestSignal } from '../load/request-signal.js';
import { ApiProblems } from '../openapi/api-problems.js';
import { asRagError, problemOf } from '../problem/problem-of.js';
import { parseWith } from '../problem/validation.js';
import { SseStream } from '../sse.js';
import {
  type BatchRequest,
  batchRequestSchema,
  batchResponseSchema,
  type InvokeRequest,
  invokeRequestSchema,
  invokeResponseSchema,
} from './langserve.schema.js';
import { playgroundPage, playgroundScript } from './playground.js';
import { logOf } from './run-log.js';
import type { RunContext, ServedChain } from './served-chain.js';

const AT_A_TIME = 4;
const eventStream = { 'text/event-stream': { schema: { type: 'string' as const } } };
const jsonSchema = { 'application/json': { schema: { type: 'object' as const } } };

/** The routes that LangServe gives a runnable: https://github.com/langchain-ai/langserve */
@ApiTags('langserve')
export abstract class LangServeController implements OnModuleDestroy {
  protected abstract readonly chain: ServedChain;
  private readonly logger = new Logger(LangServeController.name);
  private readonly stopping = new AbortController();

  /** Early: an open stream would hold up the end of the service. */
  onModuleDestroy(): void {
    this.stopping.abort(
      new RagError('shutting_down', 'The server is stopping. Ask again.', { retryable: true }),
    );
  }

  @Post('invoke')
  @HttpCode(200)
  @ApiOperation({ summary: 'One answer', description: 'GET input_schema and output_schema say of what.' })
  @ApiResponse({ status: 200, standardSchema: invokeResponseSchema })
  @ApiProblems(400, 402, 404, 422, 429, 503)
  async invoke(
    @Body({ schema: invokeRequestSchema }) body: InvokeRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const input = parseWith(this.chain.input, body.input);
    const run = this.newRun(input, request, reply);
    const output = await this.chain.invoke(input, run);
    void reply.send({ output, metadata: metadataOf(run) });
  }

  @Post('batch')
  @HttpCode(200)
  @ApiOperation({ summary: 'Several answers; one that fails fails all' })
  @ApiResponse({ status: 200, standardSchema: batchResponseSchema })
  @ApiProblems(400, 402, 404, 422, 429, 503)
  async batch(
    @Body({ schema: batchRequestSchema }) body: BatchRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const inputs = parseWith(z.object({ inputs: z.array(this.chain.input) }), body).inputs;
    const failing = new AbortController();
    const runs = inputs.map((input) => {
      const run = this.newRun(input, request, reply);
      return { ...run, signal: AbortSignal.any([run.signal, failing.signal]) };
    });
    const output: object[] = [];
    const waiting = [...inputs.entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, input] = next;
        output[index] = await this.chain.invoke(input, runs[index]!);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_A_TIME }, work));
    } catch (error) {
      waiting.length = 0;
      failing.abort(error);
      throw error;
    }
    const responses = runs.map(metadataOf);
    void reply.send({ output, metadata: { responses, run_ids: runs.map(({ runId }) => runId) } });
  }

  @Post('stream')
  @HttpCode(200)
  @ApiOperation({
    summary: 'One answer while it is made',
    description:
      'Server-sent events: metadata, data with chunks that add up to the output ({"restart": reason}: the text so far is void), end; or error.',
  })
  @ApiResponse({ status: 200, content: eventStream })
  @ApiProblems(400, 402, 404, 422, 429, 503)
  async stream(
    @Body({ schema: invokeRequestSchema }) body: InvokeRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const input = parseWith(this.chain.input, body.input);
    const run = this.newRun(input, request, reply);
    await this.send(this.chain.stream(input, run), run, request, reply);
  }

  @Post('stream_log')
  @HttpCode(200)
  @ApiOperation({ summary: 'The same as JSON patches of a run log' })
  @ApiResponse({ status: 200, content: eventStream })
  @ApiProblems(400, 402, 404, 422, 429, 503)
  async streamLog(
    @Body({ schema: invokeRequestSchema }) body: InvokeRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const input = parseWith(this.chain.input, body.input);
    const run = this.newRun(input, request, reply);
    const log = logOf(this.chain.stream(input, run), { id: run.runId, name: this.chain.name });
    await this.send(log, run, request, reply);
  }

  @Get('input_schema')
  @ApiOperation({ summary: 'JSON schema of an input' })
  @ApiResponse({ status: 200, content: jsonSchema })
  inputSchema(): object {
    return z.toJSONSchema(this.chain.input, { io: 'input', unrepresentable: 'any' });
  }

  @Get('output_schema')
  @ApiOperation({ summary: 'JSON schema of an output' })
  @ApiResponse({ status: 200, content: jsonSchema })
  outputSchema(): object {
    return z.toJSONSchema(this.chain.output, { unrepresentable: 'any' });
  }

  @Get('config_schema')
  @ApiOperation({ summary: 'JSON schema of a config: nothing in it changes an answer' })
  @ApiResponse({ status: 200, content: jsonSchema })
  configSchema(): object {
    return { title: `${this.chain.name}_config`, type: 'object', properties: {} };
  }

  @Get('playground')
  @Header('content-type', 'text/html; charset=utf-8')
  @ApiExcludeEndpoint()
  playground(): string {
    return playgroundPage(this.chain.name);
  }

  @Get('playground/playground.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  @ApiExcludeEndpoint()
  playgroundScript(): string {
    return playgroundScript;
  }

  /** @throws {RagError} user_not_allowed, invalid_request */
  private newRun(input: unknown, request: FastifyRequest, reply: FastifyReply): RunContext {
    const signal = AbortSignal.any([requestSignal(reply), this.stopping.signal]);
    const { user_id } = (typeof input === 'object' ? input : {}) as { user_id?: string };
    const asker = { ...askerOf(request), userId: userAsked(request, user_id) };
    return { runId: newRequestId(), signal, deadlineAt: request.deadlineAt, ...asker };
  }

  /** @throws what fails before the first chunk */
  private async send(
    chunks: AsyncGenerator<object, void>,
    run: RunContext,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const first = await chunks.next();
    const sse = new SseStream(request, reply);
    sse.send({ event: 'metadata', data: metadataOf(run) });
    try {
      for (let next = first; !next.done; next = await chunks.next()) {
        sse.send({ event: 'data', data: next.value });
        await sse.drained();
      }
      sse.sendName('end');
    } catch (error) {
      const failure = asRagError(error, { id: request.id, method: request.method, url: request.url });
      if (failure.code === 'internal_error') this.logger.error('a stream failed unexpectedly', error);
      const { status, detail, code } = problemOf(failure, request.id);
      sse.send({ event: 'error', data: { status_code: status, message: detail, code } });
    }
    sse.end();
  }
}

function metadataOf({ runId }: RunContext) {
  return { run_id: runId, feedback_tokens: [] };
}

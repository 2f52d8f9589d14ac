import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { idSchema } from '../id.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import { AnswerSender } from './answer-sender.js';
import {
  type ChatRequest,
  chatRequestSchema,
  type StreamRequest,
  streamRequestSchema,
} from './query.schema.js';

const eventStream = { 'text/event-stream': { schema: { type: 'string' as const } } };

@ApiTags('questions')
@Controller()
export class StreamController {
  constructor(private readonly sender: AnswerSender) {}

  @Post('query/stream')
  @HttpCode(200)
  @ApiOperation({
    summary: 'The same answer while it is made',
    description:
      'Server-sent events: search_results first, then token and citation, restart (what came before is void), usage, final; or error. Send Last-Event-ID to go on where a connection broke.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Goes on after this event.' })
  @ApiResponse({ status: 200, content: eventStream })
  @ApiProblems(400, 402, 404, 410, 422, 503)
  async stream(
    @Body({ schema: streamRequestSchema }) body: StreamRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const resumed = lastEventOf(request);
    await (resumed ? this.sender.resume(resumed, request, reply) : this.sender.send(body, request, reply));
  }

  @Get('query/stream/:id')
  @ApiOperation({ summary: 'An answer of the last two minutes again, or the rest of it' })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Only what is newer than this event.' })
  @ApiResponse({ status: 200, content: eventStream })
  @ApiProblems(410, 422)
  async resume(
    @Param('id', { schema: idSchema }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.sender.resume({ id, after: lastEventOf(request)?.after ?? 0 }, request, reply);
  }

  @Post('chat/stream')
  @HttpCode(200)
  @ApiOperation({
    summary: 'The text of an answer while it is made',
    description:
      '`data: {"content": "..."}` for each piece, `data: {"restart": "reason"}` when the pieces so far are void, `data: {"final": {...}}` with the citations, `data: [DONE]`.',
  })
  @ApiResponse({ status: 200, content: eventStream })
  @ApiProblems(400, 402, 404, 422, 503)
  async chat(
    @Body({ schema: chatRequestSchema }) { input, ...body }: ChatRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.sender.sendChat({ ...body, question: input, resumable: false }, request, reply);
  }
}

/** The stream and the number in Last-Event-ID; null: there is none, or it is not one of ours. */
function lastEventOf({ headers }: FastifyRequest): { id: string; after: number } | null {
  const given = headers['last-event-id'];
  const match = typeof given === 'string' && /^([\da-f-]{36}):(\d{1,9})$/.exec(given);
  return match ? { id: match[1]!, after: Number(match[2]) } : null;
}

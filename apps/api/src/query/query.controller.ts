import { Body, Controller, HttpCode, Post, Req, Res, SerializeOptions } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { QueryService } from '#libs/query';
import { callerOf } from '../access/request-caller.js';
import { requestSignal } from '../load/request-signal.js';
import { ApiProblems } from '../openapi/api-problems.js';
import { AnswerSender } from './answer-sender.js';
import { Asking } from './asking.js';
import { presentAnswer, presentSearch } from './query.presenter.js';
import {
  type QueryRequest,
  queryRequestSchema,
  queryResponseSchema,
  type SearchRequest,
  searchRequestSchema,
  type SearchResponse,
  searchResponseSchema,
} from './query.schema.js';

@ApiTags('questions')
@Controller()
export class QueryController {
  constructor(
    private readonly asking: Asking,
    private readonly queries: QueryService,
    private readonly sender: AnswerSender,
  ) {}

  @Post('query')
  @HttpCode(200)
  @ApiOperation({ summary: 'Answer a question from the documents, with checked citations' })
  @ApiHeader({ name: 'X-User-ID', required: false, description: 'Who asks, where user_id is not given.' })
  @ApiResponse({ status: 200, standardSchema: queryResponseSchema })
  @ApiProblems(400, 402, 404, 422, 503)
  async query(
    @Body({ schema: queryRequestSchema }) { stream, ...body }: QueryRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (stream) return this.sender.send({ ...body, resumable: false }, request, reply);
    const context = {
      requestId: request.id,
      keyId: callerOf(request).keyId,
      userId: request.userId,
      signal: requestSignal(reply),
      deadlineAt: request.deadlineAt,
    };
    const answer = await this.asking.answer(body, context);
    void reply.send(presentAnswer(answer, request.id, body.conversation_id));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'The sources of an answer, without the answer' })
  @ApiResponse({ status: 200, standardSchema: searchResponseSchema })
  @ApiProblems(400, 404, 422, 503)
  @SerializeOptions({ schema: searchResponseSchema })
  async search(
    @Body({ schema: searchRequestSchema }) body: SearchRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SearchResponse> {
    const start = performance.now();
    const { question, collection, mode, filters } = body;
    const retrieval = await this.queries.search({
      question,
      collection,
      mode,
      filter: filters,
      topK: body.top_k,
      requestId: request.id,
      keyId: callerOf(request).keyId ?? undefined,
      userId: request.userId,
      signal: requestSignal(reply),
    });
    return presentSearch(retrieval, performance.now() - start, request.id);
  }
}

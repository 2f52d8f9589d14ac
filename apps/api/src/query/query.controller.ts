import { Body, Controller, HttpCode, Post, Req, Res, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { QueryService } from '#libs/query';
import { ApiProblems } from '../openapi/api-problems.js';
import { whenClientLeaves } from './when-client-leaves.js';
import { presentAnswer, presentSearch } from './query.presenter.js';
import {
  type QueryRequest,
  queryRequestSchema,
  type QueryResponse,
  queryResponseSchema,
  type SearchRequest,
  searchRequestSchema,
  type SearchResponse,
  searchResponseSchema,
} from './query.schema.js';

@ApiTags('questions')
@Controller()
export class QueryController {
  constructor(private readonly queries: QueryService) {}

  @Post('query')
  @HttpCode(200)
  @ApiOperation({ summary: 'Answer a question from the documents, with checked citations' })
  @ApiResponse({ status: 200, standardSchema: queryResponseSchema })
  @ApiProblems(400, 402, 404, 422, 503)
  @SerializeOptions({ schema: queryResponseSchema })
  async query(
    @Body({ schema: queryRequestSchema }) body: QueryRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QueryResponse> {
    const { question, collection, mode, filters, temperature, model, cache, explain } = body;
    const answer = await this.queries.answer({
      question,
      collection,
      mode,
      filter: filters,
      temperature,
      model,
      topK: body.top_k,
      usesCache: cache,
      explains: explain,
      requestId: request.id,
      userId: body.user_id,
      signal: whenClientLeaves(reply),
    });
    return presentAnswer(answer, request.id);
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
  ): Promise<SearchResponse> {
    const start = performance.now();
    const { question, collection, mode, filters } = body;
    const retrieval = await this.queries.search({
      question,
      collection,
      mode,
      filter: filters,
      topK: body.top_k,
    });
    return presentSearch(retrieval, performance.now() - start, request.id);
  }
}

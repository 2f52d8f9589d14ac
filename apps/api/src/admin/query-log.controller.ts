import { Controller, Get, Query, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type LoggedQuery, queryKinds, QueryLogRepository, queryStatuses } from '#libs/observability';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  type QueryLogQuery,
  queryLogQuerySchema,
  type QueryLogResponse,
  queryLogResponseSchema,
} from './query-log.schema.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

@ApiTags('admin')
@Controller('admin')
export class QueryLogController {
  constructor(private readonly log: QueryLogRepository) {}

  @Get('queries')
  @ApiOperation({
    summary: 'What was asked and how it went, newest first; with ?status=no_evidence what is missing',
  })
  @ApiQuery({ name: 'kind', required: false, enum: queryKinds, description: 'Default: both' })
  @ApiQuery({ name: 'status', required: false, description: `A list of ${queryStatuses.join(', ')}` })
  @ApiQuery({ name: 'thumb', required: false, enum: ['up', 'down'], description: 'Of the feedback' })
  @ApiQuery({ name: 'since', required: false, description: 'Default: 24 hours ago' })
  @ApiQuery({ name: 'until', required: false, description: 'Default: now' })
  @ApiQuery({ name: 'limit', required: false, description: 'Up to 200; default 50' })
  @ApiQuery({ name: 'before', required: false, description: 'The next_before of the page before' })
  @ApiResponse({ status: 200, standardSchema: queryLogResponseSchema })
  @ApiProblems(422, 503)
  @SerializeOptions({ schema: queryLogResponseSchema })
  async list(@Query({ schema: queryLogQuerySchema }) query: QueryLogQuery): Promise<QueryLogResponse> {
    const [createdAt, requestId] = query.before?.split('~') ?? [];
    const found = await this.log.list({
      kind: query.kind,
      statuses: query.status,
      thumb: query.thumb,
      since: new Date(query.since ?? Date.now() - DAY_MS),
      until: query.until === undefined ? undefined : new Date(query.until),
      before: createdAt && requestId ? { createdAt: new Date(createdAt), requestId } : undefined,
      limit: query.limit,
    });
    const last = found.length === query.limit ? found.at(-1) : undefined;
    return {
      queries: found.map(presentQuery),
      next_before: last ? `${last.createdAt.toISOString()}~${last.requestId}` : null,
    };
  }
}

function presentQuery(entry: LoggedQuery): QueryLogResponse['queries'][number] {
  return {
    kind: entry.kind,
    request_id: entry.requestId,
    created_at: entry.createdAt.toISOString(),
    status: entry.status,
    error_code: entry.errorCode,
    degraded_reasons: [...entry.degradedReasons],
    collection: entry.collection,
    mode: entry.mode,
    user_id: entry.userId,
    key_id: entry.keyId,
    question: entry.question,
    model: entry.model,
    cache: entry.cache,
    tokens: { input: entry.inputTokens, output: entry.outputTokens },
    cost_micro_usd: entry.costMicroUsd,
    latency_ms: entry.latencyMs,
    timings_ms: { ...entry.timings },
    chunk_ids: [...entry.chunkIds],
    trace_id: entry.traceId,
    feedback: entry.feedback,
  };
}

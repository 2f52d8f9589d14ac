import { Controller, Get, Header, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { metricsContentType, readMetrics } from '#libs/metrics';
import { QueryLogRepository, type QuerySums } from '#libs/observability';
import { ApiProblems } from '../openapi/api-problems.js';
import { type SummaryResponse, summaryResponseSchema } from './summary.schema.js';

const WINDOW_SECONDS = 300;

@ApiTags('health')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly log: QueryLogRepository) {}

  @Get()
  @Header('content-type', metricsContentType)
  @ApiOperation({ summary: 'Counters and timings for Prometheus' })
  @ApiResponse({
    status: 200,
    content: { 'application/openmetrics-text': { schema: { type: 'string' } } },
  })
  async read(): Promise<string> {
    return readMetrics();
  }

  @Get('summary')
  @ApiOperation({
    summary:
      'The questions of the last five minutes, of all processes; searches (POST /search) are not among them',
  })
  @ApiResponse({ status: 200, standardSchema: summaryResponseSchema })
  @ApiProblems(503)
  @SerializeOptions({ schema: summaryResponseSchema })
  async summarize(): Promise<SummaryResponse> {
    const { byModel, ...total } = await this.log.summarize(new Date(Date.now() - WINDOW_SECONDS * 1_000));
    return {
      window_seconds: WINDOW_SECONDS,
      ...presentSums(total),
      by_model: byModel.map(({ model, ...sums }) => ({ model, ...presentSums(sums) })),
    };
  }
}

function presentSums(sums: QuerySums) {
  return {
    total_queries: sums.queries,
    failed_queries: sums.failed,
    no_evidence_queries: sums.noEvidence,
    degraded_queries: sums.degraded,
    avg_latency_ms: round(sums.averageLatencyMs),
    p95_latency_ms: round(sums.p95LatencyMs),
    tokens: { input: sums.inputTokens, output: sums.outputTokens },
    cost_micro_usd: sums.costMicroUsd,
  };
}

function round(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 100) / 100;
}

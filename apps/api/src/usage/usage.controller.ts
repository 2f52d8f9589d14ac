import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ModelCallRepository, usageGroups } from '#libs/model-routing';
import { ApiProblems } from '../openapi/api-problems.js';
import { usageCsv } from './usage-csv.js';
import {
  type UsageQuery,
  usageQuerySchema,
  type UsageResponse,
  usageResponseSchema,
} from './usage.schema.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

@ApiTags('money')
@Controller('usage')
export class UsageController {
  constructor(private readonly calls: ModelCallRepository) {}

  @Get()
  @ApiOperation({ summary: 'What models were asked and what it cost, from the ledger' })
  @ApiQuery({ name: 'group_by', required: false, description: `A list of ${usageGroups.join(', ')}` })
  @ApiQuery({
    name: 'from',
    required: false,
    description: 'First day, UTC; default: the first of this month',
  })
  @ApiQuery({ name: 'to', required: false, description: 'Last day, UTC; default: today' })
  @ApiQuery({ name: 'format', required: false, enum: ['json', 'csv'] })
  @ApiResponse({ status: 200, standardSchema: usageResponseSchema })
  @ApiProblems(422, 503)
  async read(
    @Query({ schema: usageQuerySchema }) query: UsageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageResponse | string> {
    const today = new Date().toISOString().slice(0, 10);
    const from = query.from ?? `${today.slice(0, 8)}01`;
    const to = query.to ?? today;
    const end = new Date(Date.parse(to) + DAY_MS);
    const summed = await this.calls.summarize(query.group_by, new Date(from), end);
    const rows = summed.map(({ group, ...sums }) => ({
      ...group,
      calls: sums.calls,
      failed_calls: sums.failedCalls,
      input_tokens: sums.inputTokens,
      cached_input_tokens: sums.cachedInputTokens,
      output_tokens: sums.outputTokens,
      reasoning_tokens: sums.reasoningTokens,
      estimated_calls: sums.estimatedCalls,
      unpriced_calls: sums.unpricedCalls,
      cost_micro_usd: sums.costMicroUsd,
    }));
    if (query.format === 'json') return { from, to, rows };
    void reply.header('content-type', 'text/csv; charset=utf-8');
    void reply.header('content-disposition', `attachment; filename="usage-${from}-${to}.csv"`);
    return usageCsv(query.group_by, rows);
  }
}

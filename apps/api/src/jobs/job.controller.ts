import { Controller, Get, Param, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { IndexJobRepository } from '#libs/corpus';
import { idSchema } from '../id.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import { jobSchema, type JobView } from './job.schema.js';

@ApiTags('jobs')
@Controller('jobs')
export class JobController {
  constructor(private readonly jobs: IndexJobRepository) {}

  @Get(':id')
  @ApiOperation({ summary: 'Where an indexing job is, or why it failed' })
  @ApiResponse({ status: 200, standardSchema: jobSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: jobSchema })
  async get(@Param('id', { schema: idSchema }) id: string): Promise<JobView> {
    const job = await this.jobs.get(id);
    return {
      job_id: job.id,
      document_id: job.documentId,
      version: job.version,
      collection: job.collection,
      status: job.status,
      stage: job.stage,
      done: job.done,
      total: job.total,
      attempts: job.attempts,
      error: job.error,
      created_at: job.createdAt.toISOString(),
      started_at: job.startedAt?.toISOString() ?? null,
      finished_at: job.finishedAt?.toISOString() ?? null,
    };
  }
}

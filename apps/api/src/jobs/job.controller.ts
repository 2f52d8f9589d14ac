import { Controller, Get, HttpCode, Param, Post, Query, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type IndexJob, IndexJobRepository } from '#libs/corpus';
import { ReembeddingService } from '#libs/indexing';
import { idSchema } from '../id.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  type JobList,
  jobListQuerySchema,
  type JobListQuery,
  jobListSchema,
  jobSchema,
  type JobView,
  type ReembedResponse,
  reembedResponseSchema,
} from './job.schema.js';

@ApiTags('jobs')
@Controller('jobs')
export class JobController {
  constructor(
    private readonly jobs: IndexJobRepository,
    private readonly reembeddings: ReembeddingService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Jobs, newest first' })
  @ApiQuery({ name: 'collection', required: false })
  @ApiQuery({ name: 'kind', required: false })
  @ApiQuery({ name: 'status', required: false })
  @ApiQuery({ name: 'limit', required: false, type: Number })
  @ApiQuery({ name: 'before', required: false })
  @ApiResponse({ status: 200, standardSchema: jobListSchema })
  @ApiProblems(422)
  @SerializeOptions({ schema: jobListSchema })
  async list(@Query({ schema: jobListQuerySchema }) query: JobListQuery): Promise<JobList> {
    const jobs = await this.jobs.list(query);
    return {
      jobs: jobs.map(presentJob),
      next_before: jobs.length === query.limit ? jobs.at(-1)!.id : null,
    };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Where a job is, or why it failed' })
  @ApiResponse({ status: 200, standardSchema: jobSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: jobSchema })
  async get(@Param('id', { schema: idSchema }) id: string): Promise<JobView> {
    return presentJob(await this.jobs.get(id));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'End a job of a whole collection; what it has done is kept' })
  @ApiResponse({ status: 200, standardSchema: jobSchema })
  @ApiProblems(404, 409, 422)
  @SerializeOptions({ schema: jobSchema })
  async cancel(@Param('id', { schema: idSchema }) id: string): Promise<JobView> {
    await this.jobs.cancel(id);
    return presentJob(await this.jobs.get(id));
  }

  @Post(':id/retry')
  @HttpCode(202)
  @ApiOperation({ summary: 'Take up a cancelled or failed re-embedding where it stopped, as a new job' })
  @ApiResponse({ status: 202, standardSchema: reembedResponseSchema })
  @ApiProblems(404, 409, 422)
  @SerializeOptions({ schema: reembedResponseSchema })
  async retry(@Param('id', { schema: idSchema }) id: string): Promise<ReembedResponse> {
    const jobId = await this.reembeddings.resume(id);
    return { message: `Taken up again; GET /jobs/${jobId} shows it.`, job_id: jobId, status: 'queued' };
  }
}

function presentJob(job: IndexJob): JobView {
  return {
    job_id: job.id,
    kind: job.kind,
    document_id: job.documentId,
    version: job.version,
    collection: job.collection,
    status: job.status,
    stage: job.stage,
    done: job.done,
    total: job.total,
    attempts: job.attempts,
    error: job.error,
    details: job.details,
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
  };
}

import {
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  SerializeOptions,
} from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IndexJobRepository } from '#libs/corpus';
import { RagError } from '#libs/errors';
import { JobService } from '#libs/indexing';
import { idSchema } from '../id.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import { SseStream } from '../sse.js';
import { hasEnded, JobEvents } from './job-events.js';
import { presentJob } from './job.presenter.js';
import {
  type JobList,
  jobListQuerySchema,
  type JobListQuery,
  jobListSchema,
  jobSchema,
  type JobView,
  type RetryRequest,
  retryRequestSchema,
  type RetryResponse,
  retryResponseSchema,
} from './job.schema.js';

@ApiTags('jobs')
@Controller('jobs')
export class JobController {
  constructor(
    private readonly jobs: IndexJobRepository,
    private readonly service: JobService,
    private readonly events: JobEvents,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Jobs, newest first; ?status=failed is the dead letter' })
  @ApiQuery({ name: 'collection', required: false })
  @ApiQuery({ name: 'kind', required: false })
  @ApiQuery({ name: 'status', required: false })
  @ApiQuery({ name: 'code', required: false })
  @ApiQuery({ name: 'parent', required: false })
  @ApiQuery({ name: 'document', required: false })
  @ApiQuery({ name: 'limit', required: false, type: Number })
  @ApiQuery({ name: 'before', required: false })
  @ApiResponse({ status: 200, standardSchema: jobListSchema })
  @ApiProblems(422)
  @SerializeOptions({ schema: jobListSchema })
  async list(@Query({ schema: jobListQuerySchema }) query: JobListQuery): Promise<JobList> {
    const { parent, document, ...rest } = query;
    const jobs = await this.jobs.list({ ...rest, parentJobId: parent, documentId: document });
    return {
      jobs: jobs.map(presentJob),
      next_before: jobs.length === query.limit ? jobs.at(-1)!.id : null,
    };
  }

  @Post('retry')
  @HttpCode(202)
  @ApiOperation({ summary: "Try all documents' jobs again that failed and that the filter keeps" })
  @ApiResponse({ status: 202, standardSchema: retryResponseSchema })
  @ApiProblems(400, 422)
  @SerializeOptions({ schema: retryResponseSchema })
  async retryAll(@Body({ schema: retryRequestSchema }) body: RetryRequest): Promise<RetryResponse> {
    const { parent, ...filter } = body;
    const count = await this.service.retryAll({ ...filter, parentJobId: parent });
    return { message: `${count} jobs are tried again.`, job_id: parent ?? null, count, status: 'queued' };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Where a job is, or why it failed' })
  @ApiResponse({ status: 200, standardSchema: jobSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: jobSchema })
  async get(@Param('id', { schema: idSchema }) id: string): Promise<JobView> {
    return presentJob(await this.jobs.get(id));
  }

  @Get(':id/events')
  @ApiOperation({ summary: 'The job as server-sent events, until it has ended' })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Only what is newer than this event.' })
  @ApiResponse({ status: 200, content: { 'text/event-stream': { schema: { type: 'string' } } } })
  @ApiResponse({ status: 204, description: 'The job has ended with the event of Last-Event-ID' })
  @ApiProblems(404, 422, 429)
  async follow(
    @Param('id', { schema: idSchema }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = await this.jobs.get(id);
    const given = Number(request.headers['last-event-id'] ?? 0);
    const seen = given >= 0 && given <= job.revision ? given : 0;
    if (hasEnded(job) && seen === job.revision) {
      // The one answer after which a client of the standard does not come back.
      void reply.status(204).send();
      return;
    }
    let stream: SseStream | undefined;
    const stop = this.events.follow(id, seen, {
      onChange: (changed) => {
        stream?.send(
          changed
            ? { id: changed.revision, event: 'job', data: presentJob(changed) }
            : { event: 'gone', data: { job_id: id } },
        );
        if (!changed || hasEnded(changed)) stream?.end();
      },
      onStop: () => stream?.end(),
    });
    if (!stop) {
      throw new RagError(
        'too_many_followers',
        'Too many clients follow jobs here. Poll GET /jobs/{id} instead.',
        {
          retryable: true,
        },
      );
    }
    stream = new SseStream(request, reply);
    stream.signal.addEventListener('abort', stop, { once: true });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'End a job and the jobs below it; what was there before stays searchable' })
  @ApiResponse({ status: 200, standardSchema: jobSchema })
  @ApiProblems(404, 409, 422)
  @SerializeOptions({ schema: jobSchema })
  async cancel(@Param('id', { schema: idSchema }) id: string): Promise<JobView> {
    await this.jobs.cancel(id);
    return presentJob(await this.jobs.get(id));
  }

  @Post(':id/retry')
  @HttpCode(202)
  @ApiOperation({
    summary:
      "Try a job again that failed or was cancelled; of a parent those of its documents' jobs that failed",
  })
  @ApiResponse({ status: 202, standardSchema: retryResponseSchema })
  @ApiProblems(404, 409, 422)
  @SerializeOptions({ schema: retryResponseSchema })
  async retry(@Param('id', { schema: idSchema }) id: string): Promise<RetryResponse> {
    const { jobId, count } = await this.service.retry(id);
    return { message: `Tried again; GET /jobs/${jobId} shows it.`, job_id: jobId, count, status: 'queued' };
  }
}

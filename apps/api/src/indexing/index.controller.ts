import { Controller, HttpCode, Post, Req, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { IndexingService } from '#libs/indexing';
import { ApiProblems } from '../openapi/api-problems.js';
import { readIndexRequest } from './index-request.js';
import { type IndexResponse, indexResponseSchema } from './index.schema.js';

@ApiTags('documents')
@Controller('index')
export class IndexController {
  constructor(private readonly indexing: IndexingService) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Index a document: text, a file below INDEX_ROOT, or an upload',
    description:
      'As JSON, or as multipart/form-data with one file (Markdown, HTML, text, PDF, DOCX, PPTX, XLSX, CSV, EPUB, EML, JSON, JSONL, source code) and the fields title, collection, external_id and metadata (JSON). The work is done by a job; GET /jobs/{id} follows it.',
  })
  @ApiResponse({ status: 202, standardSchema: indexResponseSchema })
  @ApiProblems(400, 403, 404, 413, 415, 422, 503)
  @SerializeOptions({ schema: indexResponseSchema })
  async index(@Req() request: FastifyRequest): Promise<IndexResponse> {
    const accepted = await this.indexing.submit(await readIndexRequest(request));
    return {
      message:
        accepted.status === 'queued'
          ? `Accepted. GET /jobs/${accepted.jobId} shows the progress.`
          : 'Nothing to do: this very content is indexed or queued already.',
      job_id: accepted.jobId,
      document_id: accepted.documentId,
      version: accepted.version,
      status: accepted.status,
    };
  }
}

import { Controller, HttpCode, Inject, Post, Req, SerializeOptions } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '#libs/config';
import {
  type AcceptedDocument,
  BatchService,
  IndexingService,
  isArchive,
  parsePageUrl,
  parseRefreshInterval,
  UrlDocumentService,
} from '#libs/indexing';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  idempotencyKeyOf,
  type IndexOrder,
  priorityOf,
  readBatchRequest,
  readIndexRequest,
} from './index-request.js';
import {
  type BatchResponse,
  batchResponseSchema,
  type IndexResponse,
  indexResponseSchema,
} from './index.schema.js';

const idempotencyHeader = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same request with the same key within a day has one effect and the same answer.',
};

/** Of a batch of files, as a multiple of the largest document. */
const BATCH_TIMES_MAX = 4;

@ApiTags('documents')
@Controller('index')
export class IndexController {
  constructor(
    private readonly indexing: IndexingService,
    private readonly batches: BatchService,
    private readonly urls: UrlDocumentService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Index a document: text, a URL, a file below INDEX_ROOT, or an upload',
    description:
      'As JSON, or as multipart/form-data with one file (Markdown, HTML, text, PDF, DOCX, PPTX, XLSX, CSV, EPUB, EML, JSON, JSONL, source code, ZIP) and the fields title, collection, external_id, priority and metadata (JSON). A ZIP becomes a document for each of its members. The work is done by a job; GET /jobs/{id} follows it.',
  })
  @ApiHeader(idempotencyHeader)
  @ApiResponse({ status: 202, standardSchema: indexResponseSchema })
  @ApiProblems(400, 403, 404, 413, 415, 422, 429, 503, 507)
  @SerializeOptions({ schema: indexResponseSchema })
  async index(@Req() request: FastifyRequest): Promise<IndexResponse> {
    const key = idempotencyKeyOf(request);
    const order = await readIndexRequest(request);
    if (order.kind === 'url') return this.indexUrl(order.body, key);
    const { source, collection, externalId, metadata, priority } = order.request;
    if (source.kind === 'upload' && !saysDocument(source.filename) && (await isArchive(source.bytes))) {
      const { bytes, filename } = source;
      const archive = { collection, externalId, metadata, bytes, filename, ...(priority && { priority }) };
      return presentParent((await this.batches.submitArchive(archive, key)).jobId);
    }
    return present(await this.indexing.submit(order.request, key));
  }

  @Post('batch')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Index many documents under one job',
    description:
      'As JSON, or as multipart/form-data with files. GET /jobs/{id} counts how they end; POST /jobs/{id}/retry tries those again that failed.',
  })
  @ApiHeader(idempotencyHeader)
  @ApiResponse({ status: 202, standardSchema: batchResponseSchema })
  @ApiProblems(400, 404, 413, 422, 429, 503, 507)
  @SerializeOptions({ schema: batchResponseSchema })
  async indexBatch(@Req() request: FastifyRequest): Promise<BatchResponse> {
    const key = idempotencyKeyOf(request);
    const order = await readBatchRequest(request, this.config.indexing.bytesMax * BATCH_TIMES_MAX);
    const { jobId, total } = await this.batches.submit(order, key);
    return {
      message: `Accepted. GET /jobs/${jobId} counts the documents; GET /jobs?parent=${jobId} lists their jobs.`,
      job_id: jobId,
      total,
      status: 'queued',
    };
  }

  private async indexUrl(
    body: Extract<IndexOrder, { kind: 'url' }>['body'],
    key: string | null,
  ): Promise<IndexResponse> {
    const { collection, metadata, crawl, refresh, title, external_id } = body;
    const url = parsePageUrl(body.url).href;
    const priority = priorityOf(body.priority);
    if (crawl) {
      const { from, max_pages: pagesMax, max_depth: depthMax } = crawl;
      const request = { collection, metadata, priority, start: url, from, pagesMax, depthMax };
      return presentParent(await this.urls.submitCrawl(request, key));
    }
    const refreshSeconds = refresh === undefined ? null : Math.round(parseRefreshInterval(refresh) / 1_000);
    const request = {
      collection,
      metadata,
      priority,
      url,
      refreshSeconds,
      title: title ?? null,
      externalId: external_id ?? null,
    };
    return present(await this.urls.submit(request, key));
  }
}

/** A damaged document is no archive. */
function saysDocument(filename: string | null): boolean {
  return filename !== null && /\.(?:doc[xm]|ppt[xm]|xls[xm]|epub)$/i.test(filename);
}

function present(accepted: AcceptedDocument): IndexResponse {
  return {
    message: messageOf(accepted),
    job_id: accepted.jobId,
    document_id: accepted.documentId,
    version: accepted.version,
    status: accepted.status,
    duplicate_of: accepted.duplicateOf,
  };
}

function presentParent(jobId: string): IndexResponse {
  return {
    message: `Accepted. GET /jobs/${jobId} counts the documents; GET /jobs?parent=${jobId} lists their jobs.`,
    job_id: jobId,
    document_id: null,
    version: null,
    status: 'queued',
    duplicate_of: null,
  };
}

function messageOf({ status, jobId, duplicateOf }: AcceptedDocument): string {
  if (status === 'unchanged') return 'Nothing to do: this very content is indexed or queued already.';
  if (status === 'duplicate') return `Skipped: document ${duplicateOf} has this very content.`;
  return `Accepted. GET /jobs/${jobId} shows the progress.`;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { CONFIG, type Config } from '#libs/config';
import { ChunkRepository, DocumentRepository, IndexJobRepository } from '#libs/corpus';
import { RagError } from '#libs/errors';
import { IndexingService } from '#libs/indexing';
import { newRequestId } from '#libs/observability';
import { projectVersion } from '#libs/project-files';
import { QueryService } from '#libs/query';
import { toSource } from '#libs/retrieval';
import { hasEnded } from '../jobs/job-events.js';
import { withDeadline } from '../load/request-signal.js';
import { asRagError } from '../problem/problem-of.js';
import { parseWith } from '../problem/validation.js';
import { idSchema } from '../id.schema.js';
import { Asking } from '../query/asking.js';
import { presentAnswer, presentSearch } from '../query/query.presenter.js';
import type { QueryResponse } from '../query/query.schema.js';
import { assertScope, currentAsker } from './mcp-asker.js';
import {
  askInputSchema,
  askOutputSchema,
  documentInputSchema,
  documentOutputSchema,
  indexInputSchema,
  indexOutputSchema,
  searchInputSchema,
  searchOutputSchema,
} from './mcp.schema.js';

const JOB_POLL_MS = 200;
/** Newest first; a client that wants others searches. */
const RESOURCES_MAX = 100;

const instructions =
  'A knowledge base of documents. "ask" answers a question with citations that are checked; "search" returns the passages alone; "get_document" reads on in a document that a passage comes from; "index_text" adds one.';

/** The tools and resources of the Model Context Protocol, the same over HTTP and stdio. */
@Injectable()
export class McpServers {
  private readonly logger = new Logger(McpServers.name);

  constructor(
    private readonly asking: Asking,
    private readonly queries: QueryService,
    private readonly indexing: IndexingService,
    private readonly documents: DocumentRepository,
    private readonly chunks: ChunkRepository,
    private readonly jobs: IndexJobRepository,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** A new one for each request, or each connection of stdio: it holds nothing. */
  create(): McpServer {
    const server = new McpServer({ name: 'ragstone', version: projectVersion() }, { instructions });
    this.addReading(server);
    this.addIndexing(server);
    this.addResources(server);
    return server;
  }

  private addReading(server: McpServer): void {
    const readOnly = { readOnlyHint: true, openWorldHint: false };
    server.registerTool(
      'search',
      {
        title: 'Search',
        description: 'Finds the passages of the documents that fit a question best.',
        inputSchema: searchInputSchema,
        outputSchema: searchOutputSchema,
        annotations: readOnly,
      },
      ({ question, collection, mode, filters, top_k: topK }, { mcpReq: { signal } }) =>
        this.run(signal, async (within) => {
          assertScope('query');
          const start = performance.now();
          const requestId = newRequestId();
          const asked = {
            requestId,
            question,
            collection,
            mode,
            filter: filters,
            topK,
            signal: within,
            keyId: currentAsker().keyId ?? undefined,
          };
          const found = presentSearch(await this.queries.search(asked), performance.now() - start, requestId);
          const texts = found.sources.map(
            ({ title, document_id, text }, index) =>
              `[${index + 1}] ${title} (document ${document_id})\n${text}`,
          );
          return { text: texts.join('\n\n') || 'Nothing was found.', structured: found };
        }),
    );
    server.registerTool(
      'ask',
      {
        title: 'Ask',
        description: 'Answers a question from the documents. Each [n] is a citation that was checked.',
        inputSchema: askInputSchema,
        outputSchema: askOutputSchema,
        annotations: readOnly,
      },
      (request, { mcpReq: { signal } }) =>
        this.run(signal, async (within) => {
          assertScope('query');
          const requestId = newRequestId();
          const answer = await this.asking.answer(request, { requestId, ...currentAsker(), signal: within });
          const presented = presentAnswer(answer, requestId, request.conversation_id);
          return { text: withCitations(presented), structured: presented };
        }),
    );
    server.registerTool(
      'get_document',
      {
        title: 'Get a document',
        description: 'Reads the text of a document, from a chunk on.',
        inputSchema: documentInputSchema,
        outputSchema: documentOutputSchema,
        annotations: readOnly,
      },
      ({ document_id, first_chunk, chunks }, { mcpReq: { signal } }) =>
        this.run(signal, async () => {
          const { title, collection, externalId, metadata } = await this.documents.get(document_id);
          const page = { limit: chunks, firstOrdinal: first_chunk };
          const read = await this.chunks.listOfDocument(document_id, page);
          const text =
            read.length === 0
              ? ''
              : toSource(read.map((chunk) => ({ ...chunk, score: 0, lexicalRank: null, vectorRank: null })))
                  .text;
          const structured = {
            document_id,
            title,
            collection,
            external_id: externalId,
            metadata,
            text,
            next_first_chunk: read.length === chunks ? read.at(-1)!.ordinal + 1 : null,
          };
          return { text, structured };
        }),
    );
  }

  private addIndexing(server: McpServer): void {
    server.registerTool(
      'index_text',
      {
        title: 'Index a text',
        description: 'Adds a text to the documents. The same external_id again replaces what was there.',
        inputSchema: indexInputSchema,
        outputSchema: indexOutputSchema,
        annotations: {
          readOnlyHint: false,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: false,
        },
      },
      ({ text, title, external_id, metadata, collection, wait_seconds }, { mcpReq: { signal } }) =>
        this.run(signal, async () => {
          assertScope('index');
          const { jobId, documentId, version, status } = await this.indexing.submit({
            source: { kind: 'text', text },
            title: title ?? null,
            externalId: external_id ?? null,
            metadata,
            collection,
          });
          const job = status === 'queued' ? await this.waitFor(jobId!, wait_seconds, signal) : null;
          const structured = {
            document_id: documentId,
            job_id: jobId,
            version,
            status: job?.status ?? status,
            error: job?.error ? `${job.error.code}: ${job.error.message}` : null,
          };
          return { text: JSON.stringify(structured), structured };
        }),
    );
  }

  private addResources(server: McpServer): void {
    server.registerResource(
      'document',
      new ResourceTemplate('ragstone://documents/{id}', {
        list: async () => {
          const documents = await this.documents.list({ limit: RESOURCES_MAX });
          return {
            resources: documents.map(({ id, title, collection }) => ({
              uri: `ragstone://documents/${id}`,
              name: title,
              description: `In the collection ${collection}`,
              mimeType: 'text/markdown',
            })),
          };
        },
      }),
      { title: 'Document', description: 'The text of a document', mimeType: 'text/markdown' },
      async (uri, { id }) => {
        const { text } = await this.documents.getText(parseWith(idSchema, id));
        return { contents: [{ uri: uri.href, mimeType: 'text/markdown', text }] };
      },
    );
  }

  private async waitFor(jobId: string, seconds: number, signal: AbortSignal) {
    for (const deadline = Date.now() + seconds * 1_000; ;) {
      const job = await this.jobs.get(jobId);
      if (hasEnded(job) || Date.now() >= deadline) return job;
      await sleep(JOB_POLL_MS, undefined, { signal });
    }
  }

  /** What a tool fails with is told to the model, with its code; what was not foreseen without its text. */
  private async run(
    signal: AbortSignal,
    work: (within: AbortSignal) => Promise<{ text: string; structured: object }>,
  ) {
    try {
      const { text, structured } = await withDeadline(this.config.http.deadlineMs, signal, work);
      return {
        content: [{ type: 'text' as const, text }],
        structuredContent: structured as Record<string, unknown>,
      };
    } catch (error) {
      const failure = asRagError(error, { id: '', method: 'POST', url: '/mcp' });
      if (failure.code === 'internal_error') this.logger.error('a tool failed unexpectedly', error);
      return { isError: true, content: [{ type: 'text' as const, text: textOf(failure) }] };
    }
  }
}

function textOf({ code, message }: RagError): string {
  return `${code}: ${message}`;
}

function withCitations({ answer, citations }: QueryResponse): string {
  const lines = citations.map(
    ({ number, title, document_id, quote }) => `[${number}] ${title} (document ${document_id}): "${quote}"`,
  );
  return lines.length === 0 ? answer : `${answer}\n\n${lines.join('\n')}`;
}

import { Logger } from '@nestjs/common';
import type {
  CollectionRepository,
  EmbeddingSpaceRepository,
  IndexJobError,
  IndexJobRepository,
  IndexStage,
  VersionRepository,
  VersionToIndex,
} from '#libs/corpus';
import type { Database } from '#libs/database';
import { isRagError } from '#libs/errors';
import type { JobContext, JobPayload, JobResult } from '#libs/jobs';
import type { EmbeddingModels } from '#libs/model-routing';
import type { BuildVectorIndexHandler } from './build-vector-index.handler.js';
import { ParsePool, type PreparedDocument } from './parse-pool.js';
import { ProgressReport } from './progress-report.js';

export interface IndexingRepositories {
  jobs: IndexJobRepository;
  versions: VersionRepository;
  collections: CollectionRepository;
  spaces: EmbeddingSpaceRepository;
}

const EMBEDDING_BATCH = 32;

/** Turns a submitted version into chunks and vectors and makes it current: parse -> split -> embed -> store. */
export class IndexDocumentHandler {
  private readonly logger = new Logger(IndexDocumentHandler.name);

  constructor(
    private readonly database: Database,
    private readonly repositories: IndexingRepositories,
    private readonly embeddings: EmbeddingModels,
    private readonly parser: ParsePool,
    private readonly indexBuilder: BuildVectorIndexHandler,
  ) {}

  handle = async ({ jobId }: JobPayload<'index-document'>, context: JobContext): Promise<JobResult> => {
    const job = await this.repositories.jobs.find(jobId);
    const version = job?.versionId ? await this.repositories.versions.find(job.versionId) : null;
    if (!job || !version) return { outcome: 'skipped', reason: 'the document was deleted' };
    if (job.status !== 'queued' && job.status !== 'running') {
      return { outcome: 'skipped', reason: `the job is ${job.status} already` };
    }
    await this.repositories.jobs.start(jobId, context.attempt);
    const progress = new ProgressReport(jobId, this.repositories.jobs);
    try {
      const status = await this.index(jobId, version, progress, context.signal);
      return status === 'ready'
        ? { outcome: 'done' }
        : { outcome: 'skipped', reason: 'a newer version is current' };
    } catch (error) {
      return await this.settle(jobId, error, progress.stage, context);
    } finally {
      await progress.settled();
    }
  };

  private async index(
    jobId: string,
    version: VersionToIndex,
    progress: ProgressReport,
    signal: AbortSignal,
  ): Promise<'ready' | 'superseded'> {
    const { collections, jobs, spaces, versions } = this.repositories;
    const collection = await collections.getById(version.collectionId);
    const space = await spaces.get(collection.embeddingSpaceId);
    progress.enter('parse');
    const prepared = await this.parser.prepare(
      {
        bytes: await versions.readSource(version.versionId),
        mediaType: version.mediaType,
        filename: version.filename,
        title: version.title,
        chunkTokensMax: collection.chunkTokensMax,
        overlapTokens: collection.overlapTokens,
      },
      (done, total) => progress.update(done, total),
      signal,
    );
    const embeddings = await this.embed(prepared, this.embeddings.of(space), progress, signal);
    signal.throwIfAborted();
    progress.enter('store', prepared.chunks.length);
    await progress.settled();
    const status = await this.database.transaction(async (tx) => {
      const current = await versions.makeCurrent(
        tx,
        { ...version, language: collection.language, space },
        {
          ...prepared,
          chunks: prepared.chunks.map((chunk) => ({ ...chunk, textSha256: Buffer.from(chunk.textSha256) })),
          embeddings,
        },
      );
      const outcome = current ? 'ready' : 'superseded';
      await jobs.finish(tx, jobId, outcome, prepared.chunks.length);
      return outcome;
    });
    await this.indexBuilder.requestIfDue(collection.id, space);
    return status;
  }

  private async embed(
    { chunks }: PreparedDocument,
    model: ReturnType<EmbeddingModels['of']>,
    progress: ProgressReport,
    signal: AbortSignal,
  ): Promise<Float32Array[]> {
    progress.enter('embed', chunks.length);
    const embeddings: Float32Array[] = [];
    while (embeddings.length < chunks.length) {
      signal.throwIfAborted();
      const batch = chunks.slice(embeddings.length, embeddings.length + EMBEDDING_BATCH);
      embeddings.push(
        ...(await model.embed(
          batch.map((chunk) => chunk.embeddingText),
          { kind: 'document', signal },
        )),
      );
      progress.update(embeddings.length, chunks.length);
    }
    return embeddings;
  }

  /** Retryable failures go back to the queue while attempts are left; the rest end the job, with a reason. */
  private async settle(
    jobId: string,
    error: unknown,
    stage: IndexStage | null,
    context: JobContext,
  ): Promise<JobResult> {
    if (context.signal.aborted) {
      await this.repositories.jobs.requeue(jobId, context.attempt, null);
      throw error;
    }
    const failure = describeFailure(error, stage);
    if (failure.retryable && !context.isLastAttempt) {
      await this.repositories.jobs.requeue(jobId, context.attempt, failure);
      throw error;
    }
    if (!isRagError(error)) this.logger.error('indexing failed unexpectedly', { jobId, stage, error });
    await this.repositories.jobs.fail(jobId, context.attempt, failure);
    return { outcome: 'failed', reason: failure.code };
  }
}

function describeFailure(error: unknown, stage: IndexStage | null): IndexJobError {
  if (isRagError(error)) {
    return { code: error.code, message: error.message, stage, retryable: error.retryable };
  }
  return {
    code: 'internal_error',
    message: 'Indexing failed in a way that was not foreseen; the log of the worker has the details.',
    stage,
    retryable: true,
  };
}

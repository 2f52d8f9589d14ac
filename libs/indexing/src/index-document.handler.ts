import type {
  ChunkingSettings,
  EmbeddingSpace,
  JobLease,
  VersionContent,
  VersionSummary,
  VersionToIndex,
} from '#libs/corpus';
import type { Database } from '#libs/database';
import type { JobContext, JobPayload, JobResult } from '#libs/jobs';
import type { EmbeddingModels } from '#libs/model-routing';
import type { BuildVectorIndexHandler } from './build-vector-index.handler.js';
import type { DocumentPace } from './document-pace.js';
import type { LeasedJob, LeasedJobs } from './leased-jobs.js';
import { embedApart } from './embed-apart.js';
import { LeaseEnded } from './lease-watch.js';
import type { Repositories } from './repositories.js';
import type { UrlDocumentService } from './url-document.service.js';
import type { ParsePool } from './parse-pool.js';
import type { PreparedChunk, PreparedPart } from './prepared-part.js';
import type { ProgressReport } from './progress-report.js';

type Target = VersionToIndex & { space: EmbeddingSpace };

const EMBEDDING_BATCH = 32;

/** Turns a submitted version into chunks and vectors and makes it current: parse -> split -> embed -> store. */
export class IndexDocumentHandler {
  constructor(
    private readonly database: Database,
    private readonly repositories: Pick<Repositories, 'collections' | 'leases' | 'staging' | 'versions'>,
    private readonly embeddings: EmbeddingModels,
    private readonly parser: ParsePool,
    private readonly runs: LeasedJobs,
    private readonly indexBuilder: BuildVectorIndexHandler,
    private readonly urls: UrlDocumentService,
    private readonly pace: DocumentPace,
  ) {}

  handle = async ({ jobId }: JobPayload<'index-document'>, context: JobContext): Promise<JobResult> => {
    await this.pace.take(context.signal);
    return this.runs.run(jobId, context, (run) => this.index(run));
  };

  private async index(run: LeasedJob): Promise<JobResult> {
    const { versions, collections } = this.repositories;
    const versionId = run.job.versionId ?? (await this.urls.fetchVersion(run));
    if (!versionId) return { outcome: 'skipped', reason: 'the page has not changed' };
    const version = await versions.find(versionId);
    if (!version) return { outcome: 'skipped', reason: 'the document was deleted' };
    const { collection, space } = await collections.getByIdWithSpace(version.collectionId);
    const target = { ...version, space };
    run.progress.enter('parse');
    const parts = this.parser.prepare(
      {
        source: versions.readSource(version.versionId),
        byteCount: version.byteCount,
        mediaType: version.mediaType,
        filename: version.filename,
        title: version.title,
        chunking: collection.chunking,
        language: collection.language,
      },
      (done, total) => {
        // While chunks are embedded the rest is still read, but chunks are what is counted then.
        if (run.progress.stage === 'parse') run.progress.update(done, total);
      },
      run.signal,
    );
    const { summary, content } = await this.prepare(run, target, parts);
    run.signal.throwIfAborted();
    run.progress.enter('store', summary.chunkCount);
    await run.progress.settled();
    const status = await this.commit(run.lease, target, collection.chunking, summary, content);
    this.indexBuilder.requestSoon(collection.id, space);
    return status === 'ready'
      ? { outcome: 'done' }
      : { outcome: 'skipped', reason: 'a newer version is current' };
  }

  /** A new document of one batch stays in memory; everything else is staged batch by batch, and reuses vectors. */
  private async prepare(
    run: LeasedJob,
    target: Target,
    parts: AsyncIterable<PreparedPart>,
  ): Promise<{ summary: VersionSummary; content: VersionContent }> {
    const preparing = new PreparingDocument();
    let first: Extract<PreparedPart, { kind: 'chunks' }> | null = null;
    // What an attempt before has staged, of whichever run of the job, must be taken or trimmed.
    let isStaged = target.hasCurrent || Number(run.lease.fence) > 1;
    for await (const part of readParts(parts, run.progress)) {
      if (part.kind === 'document') preparing.document = part;
      else if (part.kind === 'end') preparing.end = part;
      else if (!isStaged && !first) first = part;
      else {
        if (first) await this.stage(run, target, preparing, first);
        first = null;
        isStaged = true;
        await this.stage(run, target, preparing, part);
      }
    }
    const summary = preparing.summary();
    await this.repositories.collections.ensureLanguage(target.collectionId, summary.language);
    if (!isStaged) {
      const { text = '', chunks = [] } = first ?? {};
      run.progress.enter('embed', chunks.length);
      const embeddings = await this.embed(run, target.space, chunks, (done) =>
        run.progress.update(done, chunks.length),
      );
      return { summary, content: { text, chunks: chunks.map(toStore), embeddings } };
    }
    await this.repositories.staging.trim(run.lease, target.versionId, {
      chunks: summary.chunkCount,
      textParts: preparing.textParts,
    });
    return { summary, content: 'staged' };
  }

  private async stage(
    run: LeasedJob,
    target: Target,
    preparing: PreparingDocument,
    { text, start, chunks }: Extract<PreparedPart, { kind: 'chunks' }>,
  ): Promise<void> {
    const { staging } = this.repositories;
    run.signal.throwIfAborted();
    if (text !== '') {
      const part = preparing.textParts;
      await staging.stageText(run.lease, target.versionId, { part, start, text });
      preparing.textParts += 1;
    }
    const missing = await staging.stageChunks(run.lease, target, chunks.map(toStore));
    if (!missing) throw new LeaseEnded();
    const wanted = new Set(missing);
    const toEmbed = chunks.filter(({ ordinal }) => wanted.has(ordinal));
    const known = preparing.chunkCount + chunks.length - toEmbed.length;
    run.progress.advance('embed', known);
    const embeddings = await this.embed(run, target.space, toEmbed, (done) =>
      run.progress.advance('embed', known + done),
    );
    if (embeddings.length > 0) {
      await staging.stageEmbeddings(run.lease, target.versionId, missing, embeddings);
    }
    preparing.chunkCount += chunks.length;
  }

  private async embed(
    { signal }: LeasedJob,
    space: EmbeddingSpace,
    chunks: readonly PreparedChunk[],
    onBatch: (done: number) => void,
  ): Promise<Float32Array[]> {
    const model = this.embeddings.of(space);
    const embeddings: Float32Array[] = [];
    while (embeddings.length < chunks.length) {
      signal.throwIfAborted();
      const batch = chunks.slice(embeddings.length, embeddings.length + EMBEDDING_BATCH);
      embeddings.push(...(await embedApart(model, batch, signal)));
      onBatch(embeddings.length);
    }
    return embeddings;
  }

  private async commit(
    lease: JobLease,
    target: Target,
    chunking: ChunkingSettings,
    summary: VersionSummary,
    content: VersionContent,
  ): Promise<'ready' | 'superseded'> {
    const { collections, leases, versions } = this.repositories;
    return this.database.transaction(async (tx) => {
      if (!(await leases.lock(tx, lease))) throw new LeaseEnded();
      const isCurrent = await versions.makeCurrent(tx, target, summary, content);
      const status = isCurrent ? 'ready' : 'superseded';
      if (isCurrent) await collections.assertChunking(tx, target.collectionId, chunking);
      // The fence: whoever lost the job meanwhile rolls all of this back.
      const outcome = { status, stage: 'store', done: summary.chunkCount } as const;
      if (!(await leases.finish(tx, lease, outcome))) throw new LeaseEnded();
      return status;
    });
  }
}

/** What fails while a part is read has failed in parsing, whatever was done with the parts before. */
async function* readParts(
  parts: AsyncIterable<PreparedPart>,
  progress: ProgressReport,
): AsyncGenerator<PreparedPart> {
  try {
    yield* parts;
  } catch (error) {
    progress.stage = 'parse';
    throw error;
  }
}

/** What is known of a document while its parts come. */
class PreparingDocument {
  document: Extract<PreparedPart, { kind: 'document' }> | null = null;
  end: Extract<PreparedPart, { kind: 'end' }> | null = null;
  textParts = 0;
  chunkCount = 0;

  summary(): VersionSummary {
    if (!this.document || !this.end) throw new Error('the parser has ended too early');
    const { title, language, metadata } = this.document;
    const { pageCount, chunkCount } = this.end;
    return { title, language, metadata, pageCount, chunkCount };
  }
}

function toStore({ embeddingSha256, ...chunk }: PreparedChunk) {
  return { ...chunk, embeddingSha256: Buffer.from(embeddingSha256) };
}

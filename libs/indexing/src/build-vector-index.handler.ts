import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { EmbeddingSpace, IndexBuildOptions } from '#libs/corpus';
import type { Database } from '#libs/database';
import { isRagError } from '#libs/errors';
import type { JobContext, JobPayload, JobQueue, JobResult } from '#libs/jobs';
import type { LeasedJobs } from './leased-jobs.js';
import { LeaseEnded } from './lease-watch.js';
import type { Repositories } from './repositories.js';
import type { ProgressReport } from './progress-report.js';

/** Below this an exact search takes at most 8 ms (the index 2 ms) and misses nothing. Measured in bench/RESULTS.md. */
export const VECTORS_TO_INDEX_MIN = 10_000;
const LOOK_INTERVAL_MS = 500;
const LOAD_POLL_MS = 2_000;
const LOAD_WAIT_MS_MAX = 10 * 60_000;

export type VectorIndexRepositories = Pick<
  Repositories,
  'chunks' | 'collections' | 'jobs' | 'leases' | 'spaces' | 'vectorIndexes'
>;

/** Gives a space its HNSW index once it holds enough vectors and the load that brought them is over. */
export class BuildVectorIndexHandler {
  private readonly logger = new Logger(BuildVectorIndexHandler.name);
  private readonly looking = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly repositories: VectorIndexRepositories,
    private readonly runs: LeasedJobs,
    private readonly queue: JobQueue,
    private readonly options: IndexBuildOptions,
    private readonly vectorsMin = VECTORS_TO_INDEX_MIN,
  ) {}

  /** After each document: looks once for all that end in the same moment. */
  requestSoon(collectionId: string, space: EmbeddingSpace): void {
    if (space.isIndexed || this.looking.has(space.id)) return;
    this.looking.add(space.id);
    const look = setTimeout(() => {
      this.looking.delete(space.id);
      void this.requestIfDue(collectionId, space);
    }, LOOK_INTERVAL_MS);
    look.unref();
  }

  /** Never fails. */
  async requestIfDue(collectionId: string, space: EmbeddingSpace): Promise<void> {
    try {
      const { chunks, jobs, spaces } = this.repositories;
      if ((await spaces.findById(space.id))?.isIndexed !== false) return; // gone, or built meanwhile
      if ((await chunks.countInSpace(space, this.vectorsMin)) < this.vectorsMin) return;
      await this.database.transaction(async (tx) => {
        const details = { model: `${space.provider}/${space.model}` };
        const jobId = await jobs.createForCollection(tx, { collectionId, kind: 'build_index', details });
        await this.queue.enqueue('build-vector-index', { jobId }, tx);
      });
    } catch (error) {
      if (isRagError(error) && error.code === 'job_conflict') return; // asked for already
      this.logger.error('vector index not requested', error);
    }
  }

  handle = ({ jobId }: JobPayload<'build-vector-index'>, context: JobContext): Promise<JobResult> =>
    this.runs.run(jobId, context, async ({ job, lease, progress, signal }) => {
      const { collections, leases, spaces } = this.repositories;
      const { embeddingSpaceId } = await collections.getById(job.collectionId);
      const space = await spaces.get(embeddingSpaceId);
      await this.waitForLoad(space, progress, signal);
      const seconds = await this.build(space, progress, signal);
      await progress.settled();
      if (!(await leases.finish(this.database, lease, { status: 'ready', details: { seconds } })))
        throw new LeaseEnded();
      return { outcome: 'done' };
    });

  /** Builds now, whatever is going on. @returns how many seconds it took; 0 when the space is gone */
  async build(space: EmbeddingSpace, progress: ProgressReport, signal: AbortSignal): Promise<number> {
    progress.enter('build');
    const start = performance.now();
    const built = await this.repositories.vectorIndexes.build(
      space,
      this.options,
      ({ done, total }) => progress.update(done, total),
      signal,
    );
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    if (built) this.logger.log('vector index built', { model: space.model, seconds });
    return built ? seconds : 0;
  }

  /** Adding vectors to an index is what takes long: it waits until no document is on its way, but not for ever. */
  private async waitForLoad(
    space: EmbeddingSpace,
    progress: ProgressReport,
    signal: AbortSignal,
  ): Promise<void> {
    progress.enter('wait');
    const deadline = Date.now() + LOAD_WAIT_MS_MAX;
    while (Date.now() < deadline && (await this.repositories.jobs.hasOpenDocuments(space.id))) {
      await sleep(LOAD_POLL_MS, undefined, { signal });
    }
  }
}

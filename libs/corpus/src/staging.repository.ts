import { halfvecArray, type Database, type Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import { partitionOf, type EmbeddingSpace } from './embedding-space.repository.js';
import { HalfvecOid } from './halfvec-oid.js';
import type { JobLease } from './job-lease.repository.js';
import type { ChunkToStore, VersionSummary, VersionToIndex } from './version.repository.js';

/** As they are sent; `chunkValues` makes columns of them. */
export const chunkColumns =
  'ordinal, body, heading_path, page, char_start, char_end, token_count, body_sha256, lexical_text, group_number';
export const chunkValues =
  'ordinal, body, array(select jsonb_array_elements_text(heading_path)), page, char_start, char_end, token_count, body_sha256, lexical_text, group_number';
const types = 'integer text jsonb integer integer integer integer bytea text integer'.split(' ');
export const CHUNK_COLUMNS = types.length;

/** Parameters for `chunkArrays`, from number `first` on. */
export function chunkParameters(first: number): string {
  return types.map((type, index) => `$${first + index}::${type}[]`).join(', ');
}

export function chunkArrays(chunks: readonly ChunkToStore[]): unknown[] {
  return [
    chunks.map((chunk) => chunk.ordinal),
    chunks.map((chunk) => chunk.text),
    chunks.map((chunk) => JSON.stringify(chunk.headingPath)),
    chunks.map((chunk) => chunk.page),
    chunks.map((chunk) => chunk.start),
    chunks.map((chunk) => chunk.end),
    chunks.map((chunk) => chunk.tokenCount),
    chunks.map((chunk) => chunk.embeddingSha256),
    chunks.map((chunk) => chunk.lexicalText),
    chunks.map((chunk) => chunk.group),
  ];
}

const MOVED_PER_STATEMENT = 2_000;

/** Has a row while the lease in $1 and $2 is held; whoever takes the job over waits for the statement to end. */
const held = `held as materialized (
  select id from index_jobs where id = $1::uuid and fence = $2::bigint and status = 'running' for share
)`;

/**
 * What a large or changed document's job has made so far, in short transactions: neither memory nor a connection is
 * held while the model works. An attempt finds the vectors of the one before.
 */
export class StagingRepository {
  private readonly halfvecOid = new HalfvecOid();

  constructor(private readonly database: Database) {}

  /**
   * Chunks with the vectors that are known already: of an attempt before, or of the version that search sees now.
   * @returns ordinals of those without a vector, ascending; null when the lease has ended
   */
  async stageChunks(
    lease: JobLease,
    { versionId, documentId, space }: VersionToIndex & { space: EmbeddingSpace },
    chunks: readonly ChunkToStore[],
  ): Promise<number[] | null> {
    const rows = await this.database.query<{ ordinal: number; missing: boolean }>({
      name: `stage_chunks_${space.number}`,
      text: `
        with ${held}
        insert into staged_chunks (version_id, space_id, ${chunkColumns}, embedding)
        select $3::uuid, $4::uuid, ${chunkValues}, coalesce(
          (select s.embedding from staged_chunks s
           where s.version_id = $3::uuid and s.ordinal = c.ordinal and s.body_sha256 = c.body_sha256
             and s.space_id = $4::uuid),
          (select e.embedding from chunks k join ${partitionOf(space)} e on e.chunk_id = k.id
           where k.document_id = $5::uuid and k.body_sha256 = c.body_sha256 limit 1))
        from held, unnest(${chunkParameters(6)}) as c (${chunkColumns})
        on conflict (version_id, ordinal) do update set
          ${['space_id', ...chunkColumns.split(', ').slice(1), 'embedding'].map((column) => `${column} = excluded.${column}`).join(', ')}
        returning ordinal, embedding is null as missing`,
      values: [lease.jobId, lease.fence, versionId, space.id, documentId, ...chunkArrays(chunks)],
    });
    if (rows.length < chunks.length) return null;
    return rows
      .filter(({ missing }) => missing)
      .map(({ ordinal }) => ordinal)
      .sort((a, b) => a - b);
  }

  /** One vector for each ordinal. Nothing, as all of these, when the lease has ended. */
  async stageEmbeddings(
    lease: JobLease,
    versionId: string,
    ordinals: readonly number[],
    embeddings: readonly Float32Array[],
  ): Promise<void> {
    await this.database.query({
      name: 'stage_embeddings',
      text: `
        with ${held}
        update staged_chunks s set embedding = e.embedding
        from held, unnest($4::integer[], $5::halfvec[]) as e (ordinal, embedding)
        where s.version_id = $3::uuid and s.ordinal = e.ordinal`,
      values: [
        lease.jobId,
        lease.fence,
        versionId,
        ordinals,
        halfvecArray(embeddings, await this.halfvecOid.get(this.database)),
      ],
    });
  }

  /** A slice of the extracted text. @param start UTF-16 offset of the slice */
  async stageText(
    lease: JobLease,
    versionId: string,
    { part, start, text }: { part: number; start: number; text: string },
  ): Promise<void> {
    await this.database.query({
      name: 'stage_text',
      text: `
        with ${held}
        insert into document_texts (version_id, part, char_start, body)
        select $3::uuid, $4::integer, $5::integer, $6::text from held
        on conflict (version_id, part) do update set char_start = excluded.char_start, body = excluded.body`,
      values: [lease.jobId, lease.fence, versionId, part, start, text],
    });
  }

  /** An attempt before may have had more. */
  async trim(
    lease: JobLease,
    versionId: string,
    counts: { chunks: number; textParts: number },
  ): Promise<void> {
    await this.database.query({
      text: `
        with ${held}, texts as (
          delete from document_texts using held where version_id = $3::uuid and part >= $5::integer
        )
        delete from staged_chunks using held where version_id = $3::uuid and ordinal >= $4::integer`,
      values: [lease.jobId, lease.fence, versionId, counts.chunks, counts.textParts],
    });
  }

  /** What jobs that ended without success have left. */
  async dropAbandoned(): Promise<void> {
    await this.database.query({
      text: `
        with versions as (
          select id from document_versions where status in ('failed', 'cancelled', 'superseded')
        ), texts as (
          delete from document_texts t using versions v where t.version_id = v.id
        )
        delete from staged_chunks s using versions v where s.version_id = v.id`,
    });
  }
}

/** Chunks and vectors of a version take their places. Statements of bounded size, in the caller's transaction. */
export async function moveStaged(
  tx: Transaction,
  target: VersionToIndex & { space: EmbeddingSpace },
  { language, chunkCount }: VersionSummary,
): Promise<void> {
  let movedCount = 0;
  for (let first = 0; first < chunkCount; first += MOVED_PER_STATEMENT) {
    const [moved] = await tx.query<{ count: number }>({
      name: `move_staged_${target.space.number}`,
      text: `
        with staged as (
          select * from staged_chunks where version_id = $3::uuid and ordinal >= $6::integer and ordinal < $7::integer
        ), stored as (
          insert into chunks (collection_id, document_id, version_id, language, ${chunkColumns}, lexical_vector)
          select $1::uuid, $2::uuid, $3::uuid, $4::text, ${chunkColumns},
            case when (select not exists (select from pg_extension where extname = 'pg_textsearch'))
              then to_tsvector($4::text::regconfig, lexical_text) end
          from staged order by ordinal
          returning id, ordinal
        ), vectors as (
          insert into ${partitionOf(target.space)} (space_id, collection_id, document_id, chunk_id, embedding)
          select $5::uuid, $1::uuid, $2::uuid, stored.id, staged.embedding
          from stored join staged on staged.ordinal = stored.ordinal
          returning 1
        )
        select count(*)::integer as count from vectors`,
      values: [
        target.collectionId,
        target.documentId,
        target.versionId,
        language,
        target.space.id,
        first,
        first + MOVED_PER_STATEMENT,
      ],
    });
    movedCount += moved!.count;
  }
  if (movedCount !== chunkCount) {
    throw new RagError(
      'internal_error',
      `${movedCount} of ${chunkCount} chunks were staged. The document is prepared again.`,
      { retryable: true },
    );
  }
  await tx.query({
    text: 'delete from staged_chunks where version_id = $1::uuid',
    values: [target.versionId],
  });
}

import { halfvecArray, type Database, type Transaction } from '#libs/database';
import { partitionOf, type EmbeddingSpace } from './embedding-space.repository.js';
import { HalfvecOid } from './halfvec-oid.js';

export interface ChunkToEmbed {
  chunkId: string;
  documentId: string;
  title: string;
  headingPath: string[];
  text: string;
}

interface ChunkToEmbedRow {
  chunk_id: string;
  document_id: string;
  title: string;
  heading_path: string[];
  body: string;
}

/** A drop waits no longer than this for readers; everybody else would wait behind it. The job tries again. */
const LOCK_TIMEOUT_MS = 5_000;

/** Moves a collection from one embedding space to another, while the first one answers. */
export class ReembeddingRepository {
  private readonly halfvecOid = new HalfvecOid();

  constructor(private readonly database: Database) {}

  /** Chunks that have no vector in the space, by id, from after `afterChunkId` on. */
  async listMissing(
    collectionId: string,
    space: EmbeddingSpace,
    page: { afterChunkId: string | null; limit: number },
  ): Promise<ChunkToEmbed[]> {
    const rows = await this.database.query<ChunkToEmbedRow>({
      text: `
        select k.id as chunk_id, k.document_id, d.title, k.heading_path, k.body
        from chunks k join documents d on d.id = k.document_id
        where k.collection_id = $1::uuid and ($2::uuid is null or k.id > $2::uuid)
          and not exists (select from ${partitionOf(space)} e where e.chunk_id = k.id)
        order by k.id
        limit $3::integer`,
      values: [collectionId, page.afterChunkId, page.limit],
    });
    return rows.map(toChunkToEmbed);
  }

  /** Some chunks of the collection, drawn evenly. */
  async sample(collectionId: string, count: number): Promise<ChunkToEmbed[]> {
    const rows = await this.database.query<ChunkToEmbedRow>({
      text: `
        select k.id as chunk_id, k.document_id, d.title, k.heading_path, k.body
        from chunks k join documents d on d.id = k.document_id
        where k.collection_id = $1::uuid
        order by md5(k.id::text)
        limit $2::integer`,
      values: [collectionId, count],
    });
    return rows.map(toChunkToEmbed);
  }

  async countProgress(collectionId: string, space: EmbeddingSpace): Promise<{ done: number; total: number }> {
    const [row] = await this.database.query<{ done: number; total: number }>({
      text: `
        select (select count(*) from ${partitionOf(space)} where collection_id = $1::uuid)::integer as done,
          (select count(*) from chunks where collection_id = $1::uuid)::integer as total`,
      values: [collectionId],
    });
    return row!;
  }

  /** Vectors for chunks; a chunk that was deleted meanwhile is left out. One for each chunk, in the same order. */
  async storeVectors(
    collectionId: string,
    space: EmbeddingSpace,
    chunks: readonly ChunkToEmbed[],
    embeddings: readonly Float32Array[],
  ): Promise<void> {
    await this.database.query({
      text: `
        insert into ${partitionOf(space)} (space_id, collection_id, document_id, chunk_id, embedding)
        select $1::uuid, $2::uuid, k.document_id, k.id, e.embedding
        from unnest($3::uuid[], $4::halfvec[]) as e (chunk_id, embedding)
        join (select id, document_id from chunks where id = any($3::uuid[]) for key share) k on k.id = e.chunk_id
        on conflict do nothing`,
      values: [
        space.id,
        collectionId,
        chunks.map(({ chunkId }) => chunkId),
        halfvecArray(embeddings, await this.halfvecOid.get(this.database)),
      ],
    });
  }

  /**
   * From now on the collection is searched in `space`, if each of its chunks has a vector there. New documents wait
   * for this transaction: their commit locks the collection, too, and those embedded for the old space start again.
   * @param onSwitched belongs to it: when it throws, nothing has switched
   * @returns how many chunks still lack a vector; 0 means switched
   */
  async switchSpace(
    collectionId: string,
    space: EmbeddingSpace,
    onSwitched: (tx: Transaction) => Promise<void> = () => Promise.resolve(),
  ): Promise<number> {
    return this.database.transaction(async (tx) => {
      await lockCollection(tx, collectionId);
      const [row] = await tx.query<{ missing: number }>({
        text: `
          select count(*)::integer as missing from chunks k
          where k.collection_id = $1::uuid
            and not exists (select from ${partitionOf(space)} e where e.chunk_id = k.id)`,
        values: [collectionId],
      });
      if (row!.missing > 0) return row!.missing;
      await tx.query({
        text: 'update collections set embedding_space_id = $2::uuid, epoch = epoch + 1 where id = $1::uuid',
        values: [collectionId, space.id],
      });
      await tx.query({
        text: `
          update embedding_spaces s set status =
            case when exists (select from collections c where c.embedding_space_id = s.id) then 'active' else 'retired' end
          where status <> 'building' or id = $1::uuid`,
        values: [space.id],
      });
      await onSwitched(tx);
      return 0;
    });
  }

  /**
   * Removes the collection's vectors in a space that it has left; the whole space when nobody uses it any more.
   * Kept: the collection is back in that space, or on its way there.
   */
  async dropVectors(
    collectionId: string,
    space: EmbeddingSpace,
  ): Promise<'kept' | 'deleted' | 'space_dropped'> {
    const outcome = await this.database.transaction(async (tx) => {
      await lockCollection(tx, collectionId); // a switch waits, and sees what is left
      const [use] = await tx.query<{ own: boolean; others: boolean }>({
        text: `
          with users as (
            select id as collection_id from collections where embedding_space_id = $2::uuid
            union all
            select collection_id from index_jobs
            where kind = 'reembed' and status in ('queued', 'running') and details ->> 'to_space' = $2::text
          )
          select exists (select from users where collection_id = $1::uuid) as own,
            exists (select from users where collection_id <> $1::uuid) as others
          from embedding_spaces where id = $2::uuid`,
        values: [collectionId, space.id],
      });
      if (!use || use.own) return 'kept';
      if (!use.others) return 'space_dropped';
      await tx.query({
        text: `delete from ${partitionOf(space)} where collection_id = $1::uuid`,
        values: [collectionId],
      });
      return 'deleted';
    });
    // The owner is above row-level security: only with a space that was seen as the tenant.
    if (outcome === 'space_dropped') await this.dropSpace(space);
    return outcome;
  }

  /** The foreign keys of collections refuse it if one has come into the space meanwhile. */
  private async dropSpace(space: EmbeddingSpace): Promise<void> {
    await this.database.ownerTransaction(
      async (tx) => {
        await tx.query({ text: `drop table ${partitionOf(space)}` });
        await tx.query({ text: 'delete from embedding_spaces where id = $1::uuid', values: [space.id] });
      },
      { lockTimeoutMs: LOCK_TIMEOUT_MS },
    );
  }
}

async function lockCollection(tx: Transaction, collectionId: string): Promise<void> {
  await tx.query({
    text: 'select 1 from collections where id = $1::uuid for update',
    values: [collectionId],
  });
}

function toChunkToEmbed(row: ChunkToEmbedRow): ChunkToEmbed {
  return {
    chunkId: row.chunk_id,
    documentId: row.document_id,
    title: row.title,
    headingPath: row.heading_path,
    text: row.body,
  };
}

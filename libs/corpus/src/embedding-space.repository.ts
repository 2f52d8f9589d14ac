import type { Database, Transaction } from '#libs/database';

/** The vectors of one model: comparable with each other and with nothing else. */
export interface EmbeddingSpace {
  id: string;
  /** Names its partition of chunk_embeddings. */
  number: number;
  provider: string;
  model: string;
  dimensions: number;
  /** It has its HNSW index. Without one it is searched exactly. */
  isIndexed: boolean;
}

export interface EmbeddingSpaceIdentity {
  provider: string;
  model: string;
  dimensions: number;
}

/** The table that holds the vectors of a space. */
export function partitionOf(space: Pick<EmbeddingSpace, 'number'>): string {
  return `chunk_embeddings_${space.number}`;
}

/** The expression of the HNSW index, to the letter, else the index is not used. `e` is the partition. */
export function cosineDistance({ dimensions }: Pick<EmbeddingSpace, 'dimensions'>, vector: string): string {
  return `e.embedding::halfvec(${dimensions}) <=> ${vector}::halfvec(${dimensions})`;
}

const columns = 'id, number, provider, model, dimensions, indexed_at is not null as "isIndexed"';

/** A new partition locks the parent: it waits no longer than this, as everybody else would wait behind it. */
const LOCK_TIMEOUT_MS = 5_000;

export class EmbeddingSpaceRepository {
  constructor(private readonly database: Database) {}

  async get(id: string): Promise<EmbeddingSpace> {
    const space = await this.findById(id);
    if (!space) throw new Error(`there is no embedding space ${id}`); // a collection refers to it
    return space;
  }

  async findById(id: string): Promise<EmbeddingSpace | null> {
    const [space] = await this.database.query<EmbeddingSpace>({
      name: 'embedding_space',
      text: `select ${columns} from embedding_spaces where id = $1::uuid`,
      values: [id],
    });
    return space ?? null;
  }

  async find({ provider, model, dimensions }: EmbeddingSpaceIdentity): Promise<EmbeddingSpace | null> {
    const [space] = await this.database.query<EmbeddingSpace>({
      text: `
        select ${columns} from embedding_spaces
        where provider = $1::text and model = $2::text and dimensions = $3::integer`,
      values: [provider, model, dimensions],
    });
    return space ?? null;
  }

  /** Those that collections are searched in. */
  async listInUse(): Promise<(EmbeddingSpace & { collections: string[] })[]> {
    return this.database.query({
      text: `
        select ${columns}, (select array_agg(name order by name) from collections c where c.embedding_space_id = s.id)
          as collections
        from embedding_spaces s
        where exists (select from collections c where c.embedding_space_id = s.id)
        order by number`,
    });
  }

  /**
   * The space of this model; made with its partition when it is new. Embedded it has its HNSW index from the start:
   * building one over many vectors would hold the only connection. On a server the index comes when there is enough to
   * index (`VectorIndexRepository`), which takes vectors 15 times faster.
   */
  async findOrCreate(identity: EmbeddingSpaceIdentity): Promise<EmbeddingSpace> {
    const existing = await this.find(identity);
    if (existing) return existing;
    await this.database.ownerTransaction((tx) => this.create(tx, identity), {
      lockTimeoutMs: LOCK_TIMEOUT_MS,
    });
    return (await this.find(identity))!;
  }

  private async create(
    tx: Transaction,
    { provider, model, dimensions }: EmbeddingSpaceIdentity,
  ): Promise<void> {
    const isEmbedded = this.database.engine === 'pglite';
    const [created] = await tx.query<{ id: string; number: number }>({
      text: `
        insert into embedding_spaces (provider, model, dimensions, status, indexed_at)
        values ($1::text, $2::text, $3::integer, 'building', case when $4::boolean then now() end)
        on conflict (tenant_id, provider, model, dimensions) do nothing
        returning id, number`,
      values: [provider, model, dimensions, isEmbedded],
    });
    if (!created) return; // another process was faster
    const partition = partitionOf(created);
    // Plain storage: a vector moved out of line (TOAST) made exact scans 5 times slower.
    await tx.query({
      text: `
        create table ${partition} partition of chunk_embeddings for values in ('${created.id}');
        alter table ${partition} alter column embedding set storage plain;
        alter table ${partition} enable row level security;
        create policy tenant on ${partition}
          using (tenant_id = (select nullif(current_setting('ragstone.tenant_id', true), '')::uuid));
        create index ${partition}_collection on ${partition} (collection_id);
        create index ${partition}_document on ${partition} (document_id);
        ${isEmbedded ? hnswIndexSql({ number: created.number, dimensions }, { candidates: 64 }) : ''}`,
    });
  }
}

/**
 * 200 candidates while building: recall@10 of 250,000 vectors at ef_search 160 is 1.000 instead of 0.946 (128: 0.986), for
 * 1.8 times the time. Embedded, where each vector waits for its place in the graph, pgvector's 64 is enough.
 */
export function hnswIndexSql(
  space: Pick<EmbeddingSpace, 'number' | 'dimensions'>,
  { concurrently = false, candidates = 200 } = {},
): string {
  const partition = partitionOf(space);
  return `
    create index ${concurrently ? 'concurrently' : ''} ${partition}_hnsw on ${partition}
      using hnsw ((embedding::halfvec(${space.dimensions})) halfvec_cosine_ops)
      with (m = 16, ef_construction = ${candidates})`;
}

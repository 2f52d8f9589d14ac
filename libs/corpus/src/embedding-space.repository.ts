import type { Database } from '#libs/database';

/** The vectors of one model: comparable with each other and with nothing else. */
export interface EmbeddingSpace {
  id: string;
  /** Names its partition of chunk_embeddings. */
  number: number;
  provider: string;
  model: string;
  dimensions: number;
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

export class EmbeddingSpaceRepository {
  constructor(private readonly database: Database) {}

  async get(id: string): Promise<EmbeddingSpace> {
    const [space] = await this.database.query<EmbeddingSpace>({
      name: 'embedding_space',
      text: 'select id, number, provider, model, dimensions from embedding_spaces where id = $1::uuid',
      values: [id],
    });
    return space!; // a collection refers to it
  }

  /** The space of this model; made with its partition and HNSW index when it is new. */
  async findOrCreate({ provider, model, dimensions }: EmbeddingSpaceIdentity): Promise<EmbeddingSpace> {
    return this.database.transaction(async (tx) => {
      const [created] = await tx.query<EmbeddingSpace>({
        text: `
          insert into embedding_spaces (provider, model, dimensions, status)
          values ($1::text, $2::text, $3::integer, 'active')
          on conflict (tenant_id, provider, model, dimensions) do nothing
          returning id, number, provider, model, dimensions`,
        values: [provider, model, dimensions],
      });
      if (created) {
        const partition = partitionOf(created);
        // Plain storage: a vector moved out of line (TOAST) made exact scans 5 times slower.
        await tx.query({
          text: `
            create table ${partition} partition of chunk_embeddings for values in ('${created.id}');
            alter table ${partition} alter column embedding set storage plain;
            create index ${partition}_hnsw on ${partition}
              using hnsw ((embedding::halfvec(${dimensions})) halfvec_cosine_ops) with (m = 16, ef_construction = 64);
            create index ${partition}_collection on ${partition} (collection_id)`,
        });
        return created;
      }
      const [existing] = await tx.query<EmbeddingSpace>({
        text: `
          select id, number, provider, model, dimensions from embedding_spaces
          where provider = $1::text and model = $2::text and dimensions = $3::integer`,
        values: [provider, model, dimensions],
      });
      return existing!;
    });
  }
}

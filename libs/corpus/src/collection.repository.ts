import type { Database } from '#libs/database';
import { RagError } from '#libs/errors';
import { ensureLexicalIndex, type LexicalEngine } from './lexical-index.js';

export interface Collection {
  id: string;
  name: string;
  /** PostgreSQL text-search configuration of its BM25 index. */
  language: string;
  chunkTokensMax: number;
  overlapTokens: number;
  embeddingSpaceId: string;
  /** Grows with every committed change of its documents. */
  epoch: number;
}

export interface CollectionSummary extends Collection {
  documentCount: number;
  chunkCount: number;
}

export type NewCollection = Omit<Collection, 'id' | 'epoch'>;

interface CollectionRow {
  id: string;
  name: string;
  language: string;
  chunk_tokens_max: number;
  overlap_tokens: number;
  embedding_space_id: string;
  epoch: string;
}

const columns = 'id, name, language, chunk_tokens_max, overlap_tokens, embedding_space_id, epoch';

export class CollectionRepository {
  constructor(
    private readonly database: Database,
    private readonly lexicalEngine: LexicalEngine,
  ) {}

  /** @throws {RagError} collection_not_found */
  async get(name: string): Promise<Collection> {
    const [row] = await this.database.query<CollectionRow>({
      name: 'collection_by_name',
      text: `select ${columns} from collections where name = $1::text`,
      values: [name],
    });
    if (!row) {
      throw new RagError(
        'collection_not_found',
        `There is no collection named "${name}". GET /collections lists them; POST /collections makes one.`,
      );
    }
    return toCollection(row);
  }

  /** @throws {RagError} collection_not_found */
  async getByNameOrId(nameOrId: string): Promise<Collection> {
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(nameOrId);
    return isId ? this.getById(nameOrId) : this.get(nameOrId);
  }

  /** @throws {RagError} collection_not_found */
  async getById(id: string): Promise<Collection> {
    const [row] = await this.database.query<CollectionRow>({
      text: `select ${columns} from collections where id = $1::uuid`,
      values: [id],
    });
    if (!row) throw new RagError('collection_not_found', `There is no collection ${id}, or it was deleted.`);
    return toCollection(row);
  }

  async list(): Promise<CollectionSummary[]> {
    const rows = await this.database.query<CollectionRow & { document_count: string; chunk_count: string }>({
      text: `
        select ${columns},
          (select count(*) from documents d where d.collection_id = c.id and d.current_version is not null) as document_count,
          (select count(*) from chunks k where k.collection_id = c.id) as chunk_count
        from collections c
        order by name`,
    });
    return rows.map((row) => ({
      ...toCollection(row),
      documentCount: Number(row.document_count),
      chunkCount: Number(row.chunk_count),
    }));
  }

  /**
   * The collection of that name as it is, or made as given; its language gets a BM25 index when it is the first.
   * @throws {RagError} invalid_request for a language PostgreSQL has no configuration for
   */
  async findOrCreate(collection: NewCollection): Promise<{ collection: Collection; created: boolean }> {
    const { name, language, chunkTokensMax, overlapTokens, embeddingSpaceId } = collection;
    await this.assertLanguage(language);
    await ensureLexicalIndex(this.database, this.lexicalEngine, language);
    const [created] = await this.database.query<CollectionRow>({
      text: `
        with space as (
          update embedding_spaces set status = 'active' where id = $5::uuid and status <> 'active'
        )
        insert into collections (name, language, chunk_tokens_max, overlap_tokens, embedding_space_id)
        values ($1::text, $2::text, $3::integer, $4::integer, $5::uuid)
        on conflict (tenant_id, name) do nothing
        returning ${columns}`,
      values: [name, language, chunkTokensMax, overlapTokens, embeddingSpaceId],
    });
    if (created) return { collection: toCollection(created), created: true };
    return { collection: await this.get(name), created: false };
  }

  private async assertLanguage(language: string): Promise<void> {
    const [known] = await this.database.query({
      text: 'select 1 from pg_ts_config where cfgname = $1::text',
      values: [language],
    });
    if (known) return;
    throw new RagError(
      'invalid_request',
      `"${language}" is not a text-search configuration of this PostgreSQL. Use english, simple, german, french, spanish, russian or another that "select cfgname from pg_ts_config" lists. Chinese, Japanese and Thai work with every one of them.`,
    );
  }
}

function toCollection(row: CollectionRow): Collection {
  return {
    id: row.id,
    name: row.name,
    language: row.language,
    chunkTokensMax: row.chunk_tokens_max,
    overlapTokens: row.overlap_tokens,
    embeddingSpaceId: row.embedding_space_id,
    epoch: Number(row.epoch),
  };
}

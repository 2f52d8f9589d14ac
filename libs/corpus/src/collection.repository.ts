import type { Database, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import type { ChunkingSettings, ChunkingStrategy } from './chunking-settings.js';
import type { EmbeddingSpace } from './embedding-space.repository.js';
import { ensureLexicalIndex, type LexicalEngine } from './lexical-index.js';

export interface Collection {
  id: string;
  name: string;
  /** PostgreSQL text-search configuration of documents whose own language is not clear. */
  language: string;
  /** Of its documents; each has a BM25 index. */
  languages: string[];
  chunking: ChunkingSettings;
  embeddingSpaceId: string;
  /** Grows with every committed change of its documents. */
  epoch: number;
}

export interface CollectionSummary extends Collection {
  documentCount: number;
  chunkCount: number;
}

export type NewCollection = Omit<Collection, 'id' | 'epoch' | 'languages'>;

interface CollectionRow {
  id: string;
  name: string;
  language: string;
  languages: string[];
  chunking: { strategy?: ChunkingStrategy };
  chunk_tokens_max: number;
  overlap_tokens: number;
  embedding_space_id: string;
  epoch: string;
}

const columns =
  'id, name, language, languages, chunking, chunk_tokens_max, overlap_tokens, embedding_space_id, epoch';

const spaceColumn = `
  (select jsonb_build_object('id', s.id, 'number', s.number, 'provider', s.provider, 'model', s.model,
     'dimensions', s.dimensions, 'isIndexed', s.indexed_at is not null)
   from embedding_spaces s where s.id = collections.embedding_space_id) as space`;

export interface CollectionWithSpace {
  collection: Collection;
  /** It is searched in. */
  space: EmbeddingSpace;
}

export class CollectionRepository {
  private readonly knownLanguages = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly lexicalEngine: LexicalEngine,
  ) {}

  /** A collection with the space it is searched in, in one statement. @throws {RagError} collection_not_found */
  async getWithSpace(name: string): Promise<CollectionWithSpace> {
    const [row] = await this.database.query<CollectionRow & { space: EmbeddingSpace }>({
      name: 'collection_with_space',
      text: `select ${columns}, ${spaceColumn} from collections where name = $1::text`,
      values: [name],
    });
    if (!row) throw notFound(name);
    return { collection: toCollection(row), space: row.space };
  }

  /** @throws {RagError} collection_not_found */
  async getByIdWithSpace(id: string): Promise<CollectionWithSpace> {
    const [row] = await this.database.query<CollectionRow & { space: EmbeddingSpace }>({
      name: 'collection_by_id_with_space',
      text: `select ${columns}, ${spaceColumn} from collections where id = $1::uuid`,
      values: [id],
    });
    if (!row) throw idNotFound(id);
    return { collection: toCollection(row), space: row.space };
  }

  /** @throws {RagError} collection_not_found */
  async get(name: string): Promise<Collection> {
    const [row] = await this.database.query<CollectionRow>({
      name: 'collection_by_name',
      text: `select ${columns} from collections where name = $1::text`,
      values: [name],
    });
    if (!row) throw notFound(name);
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
      name: 'collection_by_id',
      text: `select ${columns} from collections where id = $1::uuid`,
      values: [id],
    });
    if (!row) throw idNotFound(id);
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
    const { name, language, chunking, embeddingSpaceId } = collection;
    await this.prepareLanguage(language);
    const [created] = await this.database.query<CollectionRow>({
      text: `
        with space as (
          update embedding_spaces set status = 'active' where id = $5::uuid and status <> 'active'
        )
        insert into collections
          (name, language, chunk_tokens_max, overlap_tokens, embedding_space_id, chunking, languages)
        values ($1::text, $2::text, $3::integer, $4::integer, $5::uuid, $6::jsonb, $7::text[])
        on conflict (tenant_id, name) do nothing
        returning ${columns}`,
      values: [
        name,
        language,
        chunking.chunkTokensMax,
        chunking.overlapTokens,
        embeddingSpaceId,
        JSON.stringify({ strategy: chunking.strategy }),
        [language],
      ],
    });
    if (created) return { collection: toCollection(created), created: true };
    return { collection: await this.get(name), created: false };
  }

  /** For documents to come; those that are there are cut anew by a job. */
  async setChunking(tx: Transaction, id: string, chunking: ChunkingSettings): Promise<void> {
    await tx.query({
      text: `
        update collections set chunking = $2::jsonb, chunk_tokens_max = $3::integer, overlap_tokens = $4::integer
        where id = $1::uuid`,
      values: [
        id,
        JSON.stringify({ strategy: chunking.strategy }),
        chunking.chunkTokensMax,
        chunking.overlapTokens,
      ],
    });
  }

  /**
   * In the transaction that makes a document of the collection current, after its epoch was advanced: a document that
   * was cut by other settings meanwhile would be missed by the job that cuts the collection anew.
   * @throws {RagError} chunking_changed (retryable)
   */
  async assertChunking(tx: Transaction, id: string, chunking: ChunkingSettings): Promise<void> {
    const [same] = await tx.query({
      name: 'collection_is_cut_so',
      text: `
        select 1 from collections
        where id = $1::uuid and chunk_tokens_max = $2::integer and overlap_tokens = $3::integer
          and coalesce(chunking->>'strategy', 'structural') = $4::text`,
      values: [id, chunking.chunkTokensMax, chunking.overlapTokens, chunking.strategy],
    });
    if (same) return;
    throw new RagError(
      'chunking_changed',
      'The collection is cut into other chunks since this document was read. It is read again.',
      { retryable: true },
    );
  }

  /** A document in this language is about to be stored: from now on the collection is searched in it, too. */
  async ensureLanguage(id: string, language: string): Promise<void> {
    const key = `${id} ${language}`;
    if (this.knownLanguages.has(key)) return;
    await this.prepareLanguage(language);
    await this.database.query({
      text: `
        update collections set languages = array_append(languages, $2::text)
        where id = $1::uuid and not $2::text = any(languages)`,
      values: [id, language],
    });
    this.knownLanguages.add(key);
  }

  private async prepareLanguage(language: string): Promise<void> {
    await this.assertLanguage(language);
    await ensureLexicalIndex(this.database, this.lexicalEngine, language);
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

function idNotFound(id: string): RagError {
  return new RagError('collection_not_found', `There is no collection ${id}, or it was deleted.`);
}

function notFound(name: string): RagError {
  return new RagError(
    'collection_not_found',
    `There is no collection named "${name}". GET /collections lists them; POST /collections makes one.`,
  );
}

function toCollection(row: CollectionRow): Collection {
  return {
    id: row.id,
    name: row.name,
    language: row.language,
    languages: row.languages,
    chunking: {
      strategy: row.chunking.strategy ?? 'structural',
      chunkTokensMax: row.chunk_tokens_max,
      overlapTokens: row.overlap_tokens,
    },
    embeddingSpaceId: row.embedding_space_id,
    epoch: Number(row.epoch),
  };
}

import { halfvecArray, halfvecBinary, type Database } from '#libs/database';
import { cosineDistance, partitionOf, type EmbeddingSpace } from './embedding-space.repository.js';
import { HalfvecOid } from './halfvec-oid.js';
import { anyWord, type LexicalEngine, lexicalIndexOf } from './lexical-index.js';
import { compileFilter, type FilterSql, type MetadataFilter } from './metadata-filter.js';

export interface Chunk {
  id: string;
  documentId: string;
  /** The document's name at its sender; its address when it was fetched. */
  externalId: string;
  title: string;
  ordinal: number;
  text: string;
  headingPath: string[];
  page: number | null;
  /** UTF-16 offsets into the document's extracted text, end exclusive. */
  start: number;
  end: number;
  tokenCount: number;
  /** Chunks of a document with the same number make up one parent; null: it stands for itself. */
  group: number | null;
}

interface ChunkRow {
  id: string;
  document_id: string;
  external_id: string;
  title: string;
  ordinal: number;
  body: string;
  heading_path: string[];
  page: number | null;
  char_start: number;
  char_end: number;
  token_count: number;
  group_number: number | null;
}

const columns = `k.id, k.document_id, d.external_id, d.title, k.ordinal, k.body, k.heading_path, k.page, k.char_start, k.char_end, k.token_count, k.group_number`;

/** What a search may return: a collection, or the documents in it that a filter keeps. */
export interface ChunkScope {
  collectionId: string;
  filter?: MetadataFilter | undefined;
}

export interface NearestQuery {
  scope: ChunkScope;
  space: EmbeddingSpace;
  embedding: Float32Array;
  limit: number;
  /** Exact measures every chunk of the scope; hnsw walks the index of the space and may miss a true neighbour. */
  method: 'exact' | 'hnsw';
}

export interface LexicalQuery {
  scope: ChunkScope;
  language: string;
  text: string;
  limit: number;
}

/** Only chunks of current versions exist, so no query here needs to ask for the version. */
export class ChunkRepository {
  private readonly halfvecOid = new HalfvecOid();

  constructor(
    private readonly database: Database,
    private readonly lexicalEngine: LexicalEngine,
  ) {}

  /** Nearest chunks of the scope, closest first. Cosine distance in [0, 2]. */
  async findNearest(query: NearestQuery): Promise<{ id: string; distance: number }[]> {
    return query.method === 'exact' ? this.findNearestExactly(query) : this.findNearestByIndex(query);
  }

  private async findNearestExactly(query: NearestQuery): Promise<{ id: string; distance: number }[]> {
    const { scope, space, embedding, limit } = query;
    const partition = partitionOf(space);
    const filter = scope.filter && compileFilter(scope.filter, 4);
    // Not the expression of the HNSW index (no cast), so that no plan can use it.
    return this.database.query<{ id: string; distance: number }>({
      ...(!filter && { name: `exact_${partition}` }),
      text: `
        select e.chunk_id as id, e.embedding <=> $1::halfvec(${space.dimensions}) as distance
        from ${partition} e
        where e.collection_id = $2::uuid
          ${filter ? `and ${isOfDocuments('$2', filter)}` : ''}
        order by distance, e.chunk_id
        limit $3::integer`,
      values: [halfvecBinary(embedding), scope.collectionId, limit, ...(filter?.values ?? [])],
    });
  }

  /**
   * Iterative scan: goes on until `limit` rows pass the filter, or `SCAN_TUPLES_MAX` were looked at. In relaxed order,
   * which throws nothing away that comes late; so the rows are sorted here. The filter is a subquery on each row that
   * the scan meets; as a join the planner would give up the order of the index.
   */
  private async findNearestByIndex(query: NearestQuery): Promise<{ id: string; distance: number }[]> {
    const { scope, space, embedding, limit } = query;
    const partition = partitionOf(space);
    const filter = scope.filter && compileFilter(scope.filter, 4);
    const rows = await this.database.query<{ id: string; distance: number }>({
      ...(!filter && { name: `nearest_${partition}` }),
      settings: indexScanSettings(limit),
      text: `
        select e.chunk_id as id, ${cosineDistance(space, '$1')} as distance
        from ${partition} e
        where e.collection_id = $2::uuid
          ${filter ? `and (select ${filter.text} from documents d where d.id = e.document_id)` : ''}
        order by ${cosineDistance(space, '$1')}
        limit $3::integer`,
      values: [halfvecBinary(embedding), scope.collectionId, limit, ...(filter?.values ?? [])],
    });
    return rows.sort((a, b) => a.distance - b.distance);
  }

  /**
   * The nearest chunks of a collection for many vectors in one statement, in their order; each list is as
   * `findNearest`'s. 1.1 to 1.6 times faster than one statement each.
   */
  async searchMany(query: {
    collectionId: string;
    space: EmbeddingSpace;
    embeddings: readonly Float32Array[];
    limit: number;
  }): Promise<{ id: string; distance: number }[][]> {
    const { collectionId, space, embeddings, limit } = query;
    const found: { id: string; distance: number }[][] = embeddings.map(() => []);
    if (embeddings.length === 0) return found;
    const partition = partitionOf(space);
    const distance = cosineDistance(space, 'asked.embedding');
    const rows = await this.database.query<{ query: number; id: string; distance: number }>({
      name: `nearest_many_${partition}`,
      settings: space.isIndexed ? indexScanSettings(limit) : {},
      text: `
        select asked.number::integer as query, nearest.id, nearest.distance
        from unnest($1::halfvec[]) with ordinality as asked (embedding, number),
        lateral (
          select e.chunk_id as id, ${distance} as distance
          from ${partition} e
          where e.collection_id = $2::uuid
          order by ${distance}
          limit $3::integer
        ) nearest
        order by asked.number, nearest.distance`,
      values: [halfvecArray(embeddings, await this.halfvecOid.get(this.database)), collectionId, limit],
    });
    for (const { query: number, id, distance: measured } of rows)
      found[number - 1]!.push({ id, distance: measured });
    return found;
  }

  /** How many vectors of the space are in the scope, counted up to `max`. */
  async countInScope(scope: ChunkScope, space: EmbeddingSpace, max: number): Promise<number> {
    const filter = scope.filter && compileFilter(scope.filter, 3);
    const [row] = await this.database.query<{ count: number }>({
      text: `
        select count(*)::integer as count
        from (
          select from ${partitionOf(space)} e
          where e.collection_id = $1::uuid
            ${filter ? `and ${isOfDocuments('$1', filter)}` : ''}
          limit $2::integer
        ) counted`,
      values: [scope.collectionId, max, ...(filter?.values ?? [])],
    });
    return row!.count;
  }

  /** How many vectors the space has in all collections, counted up to `max`. */
  async countInSpace(space: EmbeddingSpace, max: number): Promise<number> {
    const [row] = await this.database.query<{ count: number }>({
      text: `select count(*)::integer as count from (select from ${partitionOf(space)} limit $1::integer) counted`,
      values: [max],
    });
    return row!.count;
  }

  /** Exact cosine distances of given chunks, in no particular order. */
  async measureDistances(query: {
    space: EmbeddingSpace;
    embedding: Float32Array;
    chunkIds: readonly string[];
  }): Promise<{ id: string; distance: number }[]> {
    const { space, embedding, chunkIds } = query;
    const partition = partitionOf(space);
    return this.database.query<{ id: string; distance: number }>({
      name: `distances_${partition}`,
      text: `
        select chunk_id as id, embedding <=> $1::halfvec(${space.dimensions}) as distance
        from ${partition}
        where chunk_id = any($2::uuid[])`,
      values: [halfvecBinary(embedding), chunkIds],
    });
  }

  /**
   * Chunks that share words with the query, best first, by BM25 (k1 1.2, b 0.75), or by ts_rank where the server has
   * no pg_textsearch. Scores are positive and comparable within one call.
   */
  async findLexical(query: LexicalQuery): Promise<{ id: string; score: number }[]> {
    return this.lexicalEngine === 'bm25' ? this.findByBm25(query) : this.findByTsRank(query);
  }

  private async findByBm25({
    scope,
    language,
    text,
    limit,
  }: LexicalQuery): Promise<{ id: string; score: number }[]> {
    const index = lexicalIndexOf(language);
    const filter = scope.filter && compileFilter(scope.filter, 4);
    return this.database.query<{ id: string; score: number }>({
      ...(!filter && { name: `lexical_${index}` }),
      settings: indexOnly,
      text: `
        select k.id, -bm25_get_current_score() as score
        from chunks k
        where k.language = '${language}' and k.collection_id = $2::uuid
          ${filter ? `and (select ${filter.text} from documents d where d.id = k.document_id)` : ''}
        order by k.lexical_text <@> to_bm25query($1::text, '${index}')
        limit $3::integer`,
      values: [text, scope.collectionId, limit, ...(filter?.values ?? [])],
    });
  }

  /** Any of the words, ranked by ts_rank, longer chunks damped by the logarithm of their length. */
  private async findByTsRank({
    scope,
    language,
    text,
    limit,
  }: LexicalQuery): Promise<{ id: string; score: number }[]> {
    const filter = scope.filter && compileFilter(scope.filter, 4);
    return this.database.query<{ id: string; score: number }>({
      ...(!filter && { name: `ts_rank_${lexicalIndexOf(language)}` }),
      text: `
        select k.chunk_id as id, k.rank::float8 as score
        from chunks_with_words($2::uuid, '${language}', ${anyWord(language, '$1::text')}) k
        ${filter ? `where (select ${filter.text} from documents d where d.id = k.document_id)` : ''}
        order by score desc, k.chunk_id
        limit $3::integer`,
      values: [text, scope.collectionId, limit, ...(filter?.values ?? [])],
    });
  }

  /**
   * How rare each word is: the best BM25 score that any chunk of this language has for it alone, about its inverse
   * document frequency times two. Null for a word that no chunk has. In the order of `words`.
   */
  async scoreWords(query: { language: string; words: readonly string[] }): Promise<(number | null)[]> {
    const rows =
      this.lexicalEngine === 'bm25' ? await this.scoreByBm25(query) : await this.scoreByFrequency(query);
    return rows.map(({ score }) => score);
  }

  private async scoreByBm25(query: { language: string; words: readonly string[] }) {
    const index = lexicalIndexOf(query.language);
    return this.database.query<{ score: number | null }>({
      name: `words_${index}`,
      settings: indexOnly,
      text: `
        select best.score
        from unnest($1::text[]) with ordinality as asked (word, position)
        left join lateral (
          select -bm25_get_current_score() as score
          from chunks
          where language = '${query.language}'
          order by lexical_text <@> to_bm25query(asked.word, '${index}')
          limit 1
        ) best on true
        order by asked.position`,
      values: [query.words],
    });
  }

  /** Twice the inverse document frequency, from a count of at most `COUNTED_MAX` chunks a word. */
  private async scoreByFrequency(query: { language: string; words: readonly string[] }) {
    const COUNTED_MAX = 1_000;
    return this.database.query<{ score: number | null }>({
      name: `word_frequencies_${lexicalIndexOf(query.language)}`,
      text: `
        select case when found.count > 0 then 2 * ln(1 + (total.count - found.count + 0.5) / (found.count + 0.5)) end::float8
          as score
        from unnest($1::text[]) with ordinality as asked (word, position),
        lateral (
          select count_chunks_with_word('${query.language}', ${anyWord(query.language, 'asked.word')}, ${COUNTED_MAX}) as count
        ) found,
        (select greatest(reltuples, ${COUNTED_MAX})::bigint as count from pg_class where oid = 'chunks'::regclass) total
        order by asked.position`,
      values: [query.words],
    });
  }

  /** The chunks of these ids that still exist, in no particular order. */
  async load(ids: readonly string[]): Promise<Chunk[]> {
    const rows = await this.database.query<ChunkRow>({
      name: 'chunks_load',
      text: `
        select ${columns} from chunks k join documents d on d.id = k.document_id
        where k.id = any($1::uuid[])`,
      values: [ids],
    });
    return rows.map(toChunk);
  }

  /**
   * Chunks of the parents of these chunks, or of the stretches around them, in no particular order, the chunks themselves
   * included. None of a chunk whose document was replaced meanwhile: those of its new version do not go with it.
   */
  async loadContext(
    stretches: readonly { chunkId: string; group: number | null; first: number; last: number }[],
  ): Promise<Chunk[]> {
    const rows = await this.database.query<ChunkRow>({
      name: 'chunks_context',
      text: `
        select ${columns}
        from unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[])
          as asked (chunk_id, group_number, first, last)
        join chunks own on own.id = asked.chunk_id
        join chunks k on k.document_id = own.document_id and k.version_id = own.version_id
          and case when asked.group_number is null
          then k.ordinal between asked.first and asked.last
          else k.group_number = asked.group_number end
        join documents d on d.id = k.document_id`,
      values: [
        stretches.map(({ chunkId }) => chunkId),
        stretches.map(({ group }) => group),
        stretches.map(({ first }) => first),
        stretches.map(({ last }) => last),
      ],
    });
    return rows.map(toChunk);
  }

  /** In document order, from `firstOrdinal` on. */
  async listOfDocument(documentId: string, page: { limit: number; firstOrdinal: number }): Promise<Chunk[]> {
    const rows = await this.database.query<ChunkRow>({
      text: `
        select ${columns} from chunks k join documents d on d.id = k.document_id
        where k.document_id = $1::uuid and k.ordinal >= $2::integer
        order by k.ordinal
        limit $3::integer`,
      values: [documentId, page.firstOrdinal, page.limit],
    });
    return rows.map(toChunk);
  }
}

/** The vectors of the documents that a filter keeps; as an array, so that the index on document_id is used. */
function isOfDocuments(collectionId: string, filter: FilterSql): string {
  return `e.document_id = any(array(
    select d.id from documents d where d.collection_id = ${collectionId}::uuid and ${filter.text}
  ))`;
}

/**
 * The plan that walks the BM25 index in its order. Only then bm25_get_current_score() is the score of the row: read from
 * the scan instead of computed again from the text, which took 15 ms of 16 for 100 rows.
 */
const indexOnly = { enable_sort: 'off', enable_seqscan: 'off' };

/** pgvector stops an iterative scan after this many rows: https://github.com/pgvector/pgvector#iterative-index-scans */
const SCAN_TUPLES_MAX = 40_000;

/** Recall against time: ef_search candidates are kept while walking. No sort: it would be an exact scan of everything. */
function indexScanSettings(limit: number): Record<string, string> {
  return {
    'hnsw.iterative_scan': 'relaxed_order',
    'hnsw.ef_search': String(Math.min(1_000, Math.max(160, limit))),
    'hnsw.max_scan_tuples': String(SCAN_TUPLES_MAX),
    enable_sort: 'off',
  };
}

function toChunk(row: ChunkRow): Chunk {
  return {
    id: row.id,
    documentId: row.document_id,
    externalId: row.external_id,
    title: row.title,
    ordinal: row.ordinal,
    text: row.body,
    headingPath: row.heading_path,
    page: row.page,
    start: row.char_start,
    end: row.char_end,
    tokenCount: row.token_count,
    group: row.group_number,
  };
}

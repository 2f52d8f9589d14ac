import { halfvecLiteral, type Database } from '#libs/database';
import { partitionOf, type EmbeddingSpace } from './embedding-space.repository.js';
import { lexicalIndexOf } from './lexical-index.js';

export interface Chunk {
  id: string;
  documentId: string;
  title: string;
  ordinal: number;
  text: string;
  headingPath: string[];
  page: number | null;
  /** UTF-16 offsets into the document's extracted text, end exclusive. */
  start: number;
  end: number;
  tokenCount: number;
}

interface ChunkRow {
  id: string;
  document_id: string;
  title: string;
  ordinal: number;
  body: string;
  heading_path: string[];
  page: number | null;
  char_start: number;
  char_end: number;
  token_count: number;
}

const columns = `k.id, k.document_id, d.title, k.ordinal, k.body, k.heading_path, k.page, k.char_start, k.char_end, k.token_count`;

/** Only chunks of current versions exist, so no query here needs to ask for the version. */
export class ChunkRepository {
  constructor(private readonly database: Database) {}

  /**
   * Nearest chunks of one collection, closest first. Cosine distance in [0, 2]. Approximate: may miss a true
   * neighbour. Iterative scan, so that a filter never leaves fewer than `limit` rows while more exist.
   */
  async findNearest(query: {
    collectionId: string;
    space: EmbeddingSpace;
    embedding: Float32Array;
    limit: number;
  }): Promise<{ id: string; distance: number }[]> {
    const { collectionId, space, embedding, limit } = query;
    const partition = partitionOf(space);
    const type = `halfvec(${space.dimensions})`;
    return this.database.query<{ id: string; distance: number }>({
      name: `nearest_${partition}`,
      text: `
        select nearest.chunk_id as id, nearest.distance
        from (
          select set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', $4::text, true)
        ) settings,
        lateral (
          select chunk_id, embedding::${type} <=> $1::${type} as distance
          from ${partition}
          where collection_id = $2::uuid
          order by embedding::${type} <=> $1::${type}
          limit $3::integer
        ) nearest`,
      values: [halfvecLiteral(embedding), collectionId, limit, String(Math.min(1_000, Math.max(100, limit)))],
    });
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
      values: [halfvecLiteral(embedding), chunkIds],
    });
  }

  /**
   * Chunks that share words with the query, best first, by BM25 (k1 1.2, b 0.75). Scores are positive and comparable
   * within one call. Chunks without a common word are not returned.
   */
  async findLexical(query: {
    collectionId: string;
    language: string;
    text: string;
    limit: number;
  }): Promise<{ id: string; score: number }[]> {
    const { collectionId, language, text, limit } = query;
    const index = lexicalIndexOf(language);
    return this.database.query<{ id: string; score: number }>({
      name: `lexical_${index}`,
      text: `
        select id, -score as score
        from (
          select id, lexical_text <@> to_bm25query($1::text, '${index}') as score
          from chunks
          where language = '${language}' and collection_id = $2::uuid
          order by lexical_text <@> to_bm25query($1::text, '${index}')
          limit $3::integer
        ) ranked
        where score < 0 -- a plan without the index returns chunks that share no word, too
        order by ranked.score`,
      values: [text, collectionId, limit],
    });
  }

  /**
   * How rare each word is: the best BM25 score that any chunk of this language has for it alone, about its inverse
   * document frequency times two. Null for a word that no chunk has. In the order of `words`.
   */
  async scoreWords(query: { language: string; words: readonly string[] }): Promise<(number | null)[]> {
    const index = lexicalIndexOf(query.language);
    const rows = await this.database.query<{ score: number | null }>({
      name: `words_${index}`,
      text: `
        select -best.score as score
        from unnest($1::text[]) with ordinality as asked (word, position)
        left join lateral (
          select lexical_text <@> to_bm25query(asked.word, '${index}') as score
          from chunks
          where language = '${query.language}'
          order by lexical_text <@> to_bm25query(asked.word, '${index}')
          limit 1
        ) best on true
        order by asked.position`,
      values: [query.words],
    });
    return rows.map(({ score }) => score || null); // a plan without the index gives 0 for "no chunk has it"
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

function toChunk(row: ChunkRow): Chunk {
  return {
    id: row.id,
    documentId: row.document_id,
    title: row.title,
    ordinal: row.ordinal,
    text: row.body,
    headingPath: row.heading_path,
    page: row.page,
    start: row.char_start,
    end: row.char_end,
    tokenCount: row.token_count,
  };
}

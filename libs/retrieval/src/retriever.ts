import type {
  Chunk,
  ChunkRepository,
  Collection,
  EmbeddingSpace,
  LexicalEngine,
  MetadataFilter,
} from '#libs/corpus';
import { LRUCache } from 'lru-cache';
import { analyzeTermPositions, analyzeTerms, isMostlyUnspaced, lexicalQuery } from '#libs/text-analysis';
import { fuse, type FusedChunk, type NearChunk } from './fuse.js';
import { mergeNeighbours, type ScoredChunk, type Source } from './merge-neighbours.js';
import { proximityOf, QuestionTerms } from './proximity.js';
import { VectorLeg } from './vector-leg.js';
import { weightsOf } from './weights.js';

export type RetrievalMode = 'hybrid' | 'vector' | 'lexical';

export interface RetrievalRequest {
  collection: Collection;
  space: EmbeddingSpace;
  question: string;
  /** Of the question, in the collection's space; null in lexical mode. */
  embedding: Promise<Float32Array> | null;
  topK: number;
  mode: RetrievalMode;
  /** Keeps documents by their metadata. */
  filter?: MetadataFilter | undefined;
}

/** Why what was found may be worse than it could be: words were ranked by ts_rank, for want of pg_textsearch. */
export type RetrievalDegradation = 'lexical_ts_rank';

export interface Retrieval {
  /** Best first, at most `topK`. */
  sources: Source[];
  /** Milliseconds. */
  timings: { embedMs: number; vectorMs: number; lexicalMs: number; rankMs: number };
  degradedReasons: RetrievalDegradation[];
}

const CANDIDATES = 100;
const RERANKED = 50;
const SCORED_TERMS_MAX = 64;
const REMEMBERED_CHUNKS = 5_000;

/** Both legs at once, fused, the best re-ranked by how close together the question's words stand. */
export class Retriever {
  private readonly vectors: VectorLeg;
  /** By chunk: the text behind an id never changes. */
  private readonly terms = new LRUCache<string, readonly string[]>({ max: REMEMBERED_CHUNKS });

  constructor(
    private readonly chunks: ChunkRepository,
    private readonly lexicalEngine: LexicalEngine,
  ) {
    this.vectors = new VectorLeg(chunks);
  }

  async retrieve(request: RetrievalRequest): Promise<Retrieval> {
    const [lexical, vector] = await Promise.all([this.lexicalLeg(request), this.vectorLeg(request)]);
    const rankStart = performance.now();
    const limit = Math.max(RERANKED, request.topK * 2); // neighbours join: more than topK are read
    const weights = weightsOf(request.space, isMostlyUnspaced(request.question));
    const lexicalShare = request.mode === 'hybrid' ? weights.lexical : request.mode === 'lexical' ? 1 : 0;
    const measured = await this.measureRest(request, lexical.found, vector.found);
    const fused = fuse(lexical.found, vector.found, { lexical: lexicalShare }, measured).slice(0, limit);
    const ranked = await this.rank(request, fused, request.mode === 'hybrid' ? weights.proximity : 0);
    return {
      sources: mergeNeighbours(ranked, request.topK),
      timings: {
        embedMs: vector.embedMs,
        vectorMs: vector.searchMs,
        lexicalMs: lexical.searchMs,
        rankMs: performance.now() - rankStart,
      },
      degradedReasons:
        this.lexicalEngine === 'ts_rank' && request.mode !== 'vector' ? ['lexical_ts_rank'] : [],
    };
  }

  /** How rare each term of the question is in the index, null where no chunk has it. Terms are as `analyzeTerms` makes them. */
  async scoreTerms(collection: Collection, question: string): Promise<ReadonlyMap<string, number | null>> {
    const words = new Map<string, string>();
    for (const { term, start, end } of analyzeTermPositions(question))
      words.set(term, question.slice(start, end));
    const asked = [...words].slice(0, SCORED_TERMS_MAX);
    const scores = await this.chunks.scoreWords({
      language: collection.language,
      words: asked.map(([, word]) => word.normalize('NFKC')),
    });
    return new Map(asked.map(([term], index) => [term, scores[index]!]));
  }

  private async lexicalLeg({ collection, question, topK, mode, filter }: RetrievalRequest) {
    if (mode === 'vector') return { found: [], searchMs: 0 };
    const start = performance.now();
    const found = await this.chunks.findLexical({
      scope: { collectionId: collection.id, filter },
      language: collection.language,
      text: lexicalQuery(question),
      limit: Math.max(CANDIDATES, topK),
    });
    return { found, searchMs: performance.now() - start };
  }

  private async vectorLeg({ collection, space, embedding, topK, filter }: RetrievalRequest) {
    if (!embedding) return { found: [], embedMs: 0, searchMs: 0 };
    const start = performance.now();
    const vector = await embedding;
    const embedded = performance.now();
    const found = await this.vectors.search({
      collection,
      filter,
      space,
      embedding: vector,
      limit: Math.max(CANDIDATES, topK),
      wanted: topK,
    });
    return { found, embedMs: embedded - start, searchMs: performance.now() - embedded };
  }

  /** The distances of the chunks that only the words found. */
  private async measureRest(
    { space, embedding, mode }: RetrievalRequest,
    lexical: readonly { id: string }[],
    vector: readonly NearChunk[],
  ): Promise<NearChunk[]> {
    if (mode !== 'hybrid' || !embedding) return [];
    const near = new Set(vector.map(({ id }) => id));
    const chunkIds = lexical.map(({ id }) => id).filter((id) => !near.has(id));
    if (chunkIds.length === 0) return [];
    return this.chunks.measureDistances({ space, embedding: await embedding, chunkIds });
  }

  private termsOf({ id, text }: Chunk): readonly string[] {
    const known = this.terms.get(id);
    if (known) return known;
    const terms = analyzeTerms(text);
    this.terms.set(id, terms);
    return terms;
  }

  private async rank(
    { question }: RetrievalRequest,
    fused: FusedChunk[],
    proximityWeight: number,
  ): Promise<ScoredChunk[]> {
    const loaded = new Map<string, Chunk>();
    for (const chunk of await this.chunks.load(fused.map(({ id }) => id))) loaded.set(chunk.id, chunk);
    const terms = new QuestionTerms(question);
    return fused
      .flatMap(({ id, score, lexicalRank, vectorRank }, index) => {
        const chunk = loaded.get(id); // gone when its document was deleted a moment ago
        if (!chunk) return [];
        const proximity =
          index < RERANKED && proximityWeight > 0 ? proximityOf(terms, this.termsOf(chunk)) : 0;
        return [
          {
            ...chunk,
            score: (score + proximityWeight * proximity) / (1 + proximityWeight),
            lexicalRank,
            vectorRank,
          },
        ];
      })
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  }
}

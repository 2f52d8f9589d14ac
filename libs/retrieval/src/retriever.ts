import type {
  Chunk,
  ChunkRepository,
  Collection,
  EmbeddingSpace,
  LexicalEngine,
  MetadataFilter,
} from '#libs/corpus';
import { observeStage } from '#libs/metrics';
import { inSpan, noteContent } from '#libs/tracing';
import { analyzeTermPositions, isMostlyUnspaced, lexicalQuery, TermFinder } from '#libs/text-analysis';
import { fuse, type FusedChunk, type NearChunk } from './fuse.js';
import { groupNeighbours, type ScoredChunk, type Source, toSource } from './merge-neighbours.js';
import { proximityOf } from './proximity.js';
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
/** On each side of a hit, for `sentence-window`. */
const SENTENCES_AROUND = 3;
/** Of one search whose findings are replaced by new versions while it runs. */
const TRIES_MAX = 3;

/** Both legs at once, fused, the best re-ranked by how close together the question's words stand. */
export class Retriever {
  private readonly vectors: VectorLeg;

  constructor(
    private readonly chunks: ChunkRepository,
    private readonly lexicalEngine: LexicalEngine,
  ) {
    this.vectors = new VectorLeg(chunks);
  }

  /**
   * The legs and the texts are read one after the other: a document that gets a new version in between would be missing,
   * so it is looked for again.
   */
  async retrieve(request: RetrievalRequest): Promise<Retrieval> {
    const attributes = { 'ragstone.mode': request.mode, 'ragstone.top_k': request.topK };
    return inSpan('retrieve', { attributes }, async (span) => {
      const retrieval = await this.retrieveWhole(request);
      noteContent(span, () => ({
        inputs: { question: request.question },
        outputs: {
          documents: retrieval.sources.map(({ title, text }) => ({
            page_content: text,
            metadata: { title },
          })),
        },
      }));
      return retrieval;
    });
  }

  private async retrieveWhole(request: RetrievalRequest): Promise<Retrieval> {
    for (let attempt = 1; ; attempt += 1) {
      const { isComplete, ...retrieval } = await this.retrieveOnce(request);
      if (isComplete || attempt === TRIES_MAX) return retrieval;
    }
  }

  private async retrieveOnce(request: RetrievalRequest): Promise<Retrieval & { isComplete: boolean }> {
    const lexicalLeg = this.lexicalLeg(request);
    const [lexical, vector, measured] = await Promise.all([
      lexicalLeg,
      this.vectorLeg(request),
      lexicalLeg.then(({ found }) => this.measure(request, found)),
    ]);
    const rankStart = performance.now();
    const limit = Math.max(RERANKED, request.topK * 2); // neighbours join: more than topK are read
    const weights = weightsOf(request.space, isMostlyUnspaced(request.question));
    const lexicalShare = request.mode === 'hybrid' ? weights.lexical : request.mode === 'lexical' ? 1 : 0;
    const fused = fuse(lexical.found, vector.found, { lexical: lexicalShare }, measured).slice(0, limit);
    const rerankStart = performance.now();
    observeStage('fuse', rerankStart - rankStart);
    const ranked = await inSpan('rerank', {}, () =>
      this.rank(request, fused, request.mode === 'hybrid' ? weights.proximity : 0),
    );
    const { sources, isComplete } = await this.sourcesOf(request, ranked);
    observeStage('rerank', performance.now() - rerankStart);
    return {
      isComplete: isComplete && ranked.length === fused.length,
      sources,
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
    const known = new Map<string, string>();
    for (const { term, start, end } of analyzeTermPositions(question))
      known.set(term, question.slice(start, end));
    const asked = [...known].slice(0, SCORED_TERMS_MAX);
    const words = asked.map(([, word]) => word.normalize('NFKC'));
    const byLanguage = await Promise.all(
      collection.languages.map((language) => this.chunks.scoreWords({ language, words })),
    );
    return new Map(
      asked.map(([term], index) => {
        const scores = byLanguage.flatMap((scored) => scored[index] ?? []);
        return [term, scores.length > 0 ? Math.min(...scores) : null];
      }),
    );
  }

  private async lexicalLeg({ collection, question, topK, mode, filter }: RetrievalRequest) {
    if (mode === 'vector') return { found: [], searchMs: 0 };
    const start = performance.now();
    const limit = Math.max(CANDIDATES, topK);
    const byLanguage = await inSpan('lexical search', {}, () =>
      Promise.all(
        collection.languages.map((language) =>
          this.chunks.findLexical({
            scope: { collectionId: collection.id, filter },
            language,
            text: lexicalQuery(question),
            limit,
          }),
        ),
      ),
    );
    const found = byLanguage.flat();
    if (byLanguage.length > 1) found.sort((a, b) => b.score - a.score);
    return { found: found.slice(0, limit), searchMs: performance.now() - start };
  }

  private async vectorLeg({ collection, space, embedding, topK, filter }: RetrievalRequest) {
    if (!embedding) return { found: [], embedMs: 0, searchMs: 0 };
    const start = performance.now();
    const vector = await embedding;
    const embedded = performance.now();
    const found = await inSpan('vector search', {}, () =>
      this.vectors.search({
        collection,
        filter,
        space,
        embedding: vector,
        limit: Math.max(CANDIDATES, topK),
        wanted: topK,
      }),
    );
    return { found, embedMs: embedded - start, searchMs: performance.now() - embedded };
  }

  /** The distances of what the words found: of all, so that the vector leg is not waited for. */
  private async measure(
    { space, embedding, mode }: RetrievalRequest,
    lexical: readonly { id: string }[],
  ): Promise<NearChunk[]> {
    if (mode !== 'hybrid' || !embedding || lexical.length === 0) return [];
    const chunkIds = lexical.map(({ id }) => id);
    return this.chunks.measureDistances({ space, embedding: await embedding, chunkIds });
  }

  /** Children are answered with their whole parent, sentences with those around them. */
  private async sourcesOf(
    { collection, topK }: RetrievalRequest,
    ranked: readonly ScoredChunk[],
  ): Promise<{ sources: Source[]; isComplete: boolean }> {
    const around = collection.chunking.strategy === 'sentence-window' ? SENTENCES_AROUND : 0;
    const groups = groupNeighbours(ranked, topK, around);
    const stretches = groups.flatMap((chunks) => {
      const { id: chunkId, group, ordinal } = chunks[0]!;
      if (group === null && around === 0) return [];
      return [{ chunkId, group, first: ordinal - around, last: chunks.at(-1)!.ordinal + around }];
    });
    if (stretches.length === 0) return { sources: groups.map(toSource), isComplete: true };
    const context = await this.chunks.loadContext(stretches);
    const loaded = new Set(context.map(({ id }) => id));
    for (const chunks of groups) {
      const { documentId, group, ordinal } = chunks[0]!;
      if (!loaded.has(chunks[0]!.id)) continue; // replaced a moment ago: what is around now is of another version
      const last = chunks.at(-1)!.ordinal;
      const known = new Set(chunks.map(({ id }) => id));
      for (const chunk of context) {
        const belongs =
          group === null
            ? chunk.group === null && chunk.ordinal >= ordinal - around && chunk.ordinal <= last + around
            : chunk.group === group;
        if (!belongs || chunk.documentId !== documentId || known.has(chunk.id)) continue;
        known.add(chunk.id);
        chunks.push({ ...chunk, score: 0, lexicalRank: null, vectorRank: null });
      }
      chunks.sort((a, b) => a.ordinal - b.ordinal);
    }
    const isComplete = stretches.every(({ chunkId }) => loaded.has(chunkId));
    return { sources: groups.map(toSource), isComplete };
  }

  private async rank(
    { question }: RetrievalRequest,
    fused: FusedChunk[],
    proximityWeight: number,
  ): Promise<ScoredChunk[]> {
    const loaded = new Map<string, Chunk>();
    for (const chunk of await this.chunks.load(fused.map(({ id }) => id))) loaded.set(chunk.id, chunk);
    const terms = new TermFinder(question);
    return fused
      .flatMap(({ id, score, lexicalRank, vectorRank }, index) => {
        const chunk = loaded.get(id); // gone when its document was replaced or deleted a moment ago
        if (!chunk) return [];
        const proximity = index < RERANKED && proximityWeight > 0 ? proximityOf(terms, chunk.text) : 0;
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

import type { Collection, EmbeddingSpace, MetadataFilter } from '#libs/corpus';
import type { CallContext, EmbeddingModels, ModelRouter } from '#libs/model-routing';
import type { Retrieval, RetrievalDegradation, RetrievalMode, Retriever, Source } from '#libs/retrieval';
import { noSpending, plusSpending, type Spending } from '../answer.js';
import { mergeSources } from './merge-sources.js';
import type { SourceReranker } from './rerank-sources.js';
import { searchTexts, type UnderstandingSettings } from './search-texts.js';

/** What is searched: a collection, by the vectors of its space. */
export interface SearchScope {
  collection: Collection;
  space: EmbeddingSpace;
}

export interface SearchRequest {
  question: string;
  topK: number;
  mode: RetrievalMode;
  filter?: MetadataFilter | undefined;
  context: CallContext;
  signal?: AbortSignal | undefined;
}

export type SearchDegradation = RetrievalDegradation | 'rerank_unavailable';

export interface SearchFindings extends Omit<Retrieval, 'degradedReasons'> {
  degradedReasons: SearchDegradation[];
  /** What was searched for, the question first. */
  texts: string[];
  spent: Spending;
}

export interface SearchSettings extends UnderstandingSettings {
  /** The chain that is asked for other wordings, parts and passages. */
  chain: string;
}

/** Of a reranker: what it may choose from. */
const RERANKED = 30;

/** Understands a question as far as the settings ask for it, retrieves, and ranks anew where there is a reranker. */
export class Searcher {
  constructor(
    private readonly embeddings: EmbeddingModels,
    private readonly retriever: Retriever,
    private readonly router: ModelRouter,
    private readonly reranker: SourceReranker | null,
    private readonly settings: SearchSettings,
  ) {}

  /** @throws {RagError} model_unavailable (the embedding model); the signal's reason */
  async search(request: SearchRequest, scope: SearchScope): Promise<SearchFindings> {
    const { question, topK, context, signal } = request;
    const understood = await this.understand(request);
    const wanted = this.reranker ? Math.max(topK, RERANKED) : topK;
    const retrievals = await Promise.all(
      understood.texts.map((text, index) =>
        this.retrieve(
          { ...request, question: text, topK: wanted },
          scope,
          index === 0 ? understood.passage : null,
        ),
      ),
    );
    const merged = mergeSources(
      retrievals.map(({ sources }) => sources),
      wanted,
    );
    const reranked =
      this.reranker &&
      merged.length > 1 &&
      (await this.reranker.rerank(question, merged, { context, signal }));
    const sources: Source[] = (reranked && reranked.sources) || merged;
    const { timings, degradedReasons } = retrievals[0]!;
    return {
      sources: sources.slice(0, topK),
      timings,
      degradedReasons:
        reranked && !reranked.sources ? [...degradedReasons, 'rerank_unavailable'] : degradedReasons,
      texts: understood.texts,
      spent: plusSpending(understood.spent, reranked ? reranked.spent : noSpending),
    };
  }

  private async understand({ question, context, signal }: SearchRequest) {
    const { chain, multiQuery, hyde, decompose } = this.settings;
    if (multiQuery === 0 && !hyde && decompose === 'off') {
      return { texts: [question], passage: null, spent: noSpending };
    }
    return searchTexts(this.router, question, this.settings, { chain, context, signal });
  }

  private async retrieve(request: SearchRequest, { collection, space }: SearchScope, passage: string | null) {
    const text = passage ?? request.question;
    const embedding = request.mode === 'lexical' ? null : this.embed(text, space, request.signal);
    return this.retriever.retrieve({ ...request, collection, space, embedding });
  }

  private async embed(text: string, space: EmbeddingSpace, signal: AbortSignal | undefined) {
    const [vector] = await this.embeddings
      .of(space)
      .embed([text], { kind: 'query', ...(signal && { signal }) });
    return vector!;
  }
}

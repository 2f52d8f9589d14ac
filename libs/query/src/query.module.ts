import { Module } from '@nestjs/common';
import { Cache, CacheModule } from '#libs/cache';
import { ConversationRepository, ConversationsModule } from '#libs/conversations';
import { CONFIG, type Config } from '#libs/config';
import {
  ChunkRepository,
  CollectionRepository,
  CorpusModule,
  LEXICAL_ENGINE,
  type LexicalEngine,
} from '#libs/corpus';
import { EmbeddingModels, Ledger, ModelRouter, ModelsModule, openReranker } from '#libs/model-routing';
import { Retriever } from '#libs/retrieval';
import { ConversationService } from './conversation/conversation.service.js';
import { AnswerCache } from './answer-cache.js';
import { ModelAnswerer } from './model-answer.js';
import { QueryService } from './query.service.js';
import { ChatReranker, ModelReranker, type SourceReranker } from './search/rerank-sources.js';
import { Searcher } from './search/searcher.js';

const SOURCE_RERANKER = Symbol('SourceReranker');

@Module({
  imports: [CacheModule, ConversationsModule, CorpusModule, ModelsModule],
  providers: [
    {
      provide: Retriever,
      inject: [ChunkRepository, LEXICAL_ENGINE],
      useFactory: (chunks: ChunkRepository, lexicalEngine: LexicalEngine) =>
        new Retriever(chunks, lexicalEngine),
    },
    {
      provide: ModelAnswerer,
      inject: [ModelRouter, CONFIG],
      useFactory: (router: ModelRouter, { models, contextTokensMax, answerLinkHosts }: Config) =>
        new ModelAnswerer(router, {
          route: models.routes.answer,
          contextTokensMax,
          outputTokensMax: models.outputTokensMax,
          trustedHosts: new Set(answerLinkHosts),
        }),
    },
    {
      provide: AnswerCache,
      inject: [Cache, CONFIG],
      useFactory: (cache: Cache, { models, contextTokensMax, answerLinkHosts, answerCache }: Config) => {
        const { chains, routes, search, outputTokensMax } = models;
        const names = Object.values(models.models).map(({ name, provider, model, baseUrl }) => [
          name,
          provider,
          model,
          baseUrl,
        ]);
        return new AnswerCache(
          cache,
          [chains, routes, search, names, outputTokensMax, contextTokensMax, answerLinkHosts],
          answerCache.seconds,
        );
      },
    },
    {
      provide: SOURCE_RERANKER,
      inject: [ModelRouter, CONFIG],
      useFactory: (router: ModelRouter, { models: { search, models } }: Config): SourceReranker | null => {
        if (search.rerank === null) return null;
        const model = models[search.rerank];
        return model ? new ModelReranker(openReranker(model)) : new ChatReranker(router, search.rerank);
      },
    },
    {
      provide: Searcher,
      inject: [EmbeddingModels, Retriever, ModelRouter, SOURCE_RERANKER, CONFIG],
      useFactory: (
        embeddings: EmbeddingModels,
        retriever: Retriever,
        router: ModelRouter,
        reranker: SourceReranker | null,
        { models }: Config,
      ) =>
        new Searcher(embeddings, retriever, router, reranker, {
          ...models.search,
          chain: models.routes.assist,
        }),
    },
    {
      provide: QueryService,
      inject: [
        CollectionRepository,
        Searcher,
        Retriever,
        ModelRouter,
        ModelAnswerer,
        AnswerCache,
        Ledger,
        CONFIG,
      ],
      useFactory: (
        collections: CollectionRepository,
        searcher: Searcher,
        retriever: Retriever,
        router: ModelRouter,
        answerer: ModelAnswerer,
        cache: AnswerCache,
        ledger: Ledger,
        { models }: Config,
      ) =>
        new QueryService(
          collections,
          searcher,
          retriever,
          router,
          answerer,
          cache,
          ledger,
          models.routes.assist,
        ),
    },
    {
      provide: ConversationService,
      inject: [ConversationRepository, QueryService, ModelRouter, CONFIG],
      useFactory: (
        conversations: ConversationRepository,
        queries: QueryService,
        router: ModelRouter,
        { models, historyTokensMax }: Config,
      ) =>
        new ConversationService(conversations, queries, router, {
          chain: models.routes.assist,
          historyTokensMax,
        }),
    },
  ],
  exports: [ConversationService, QueryService, Searcher],
})
export class QueryModule {}

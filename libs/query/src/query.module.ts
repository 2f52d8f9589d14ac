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
import { EmbeddingModels, Ledger, ModelRouter, ModelsModule } from '#libs/model-routing';
import { ObservabilityModule, QueryObserver } from '#libs/observability';
import { Retriever } from '#libs/retrieval';
import { ConversationService } from './conversation/conversation.service.js';
import { AnswerCache } from './answer-cache.js';
import { ModelAnswerer } from './model-answer.js';
import { QueryService } from './query.service.js';

@Module({
  imports: [CacheModule, ConversationsModule, CorpusModule, ModelsModule, ObservabilityModule],
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
        const { chains, routes, outputTokensMax } = models;
        const names = Object.values(models.models).map(({ name, provider, model, baseUrl }) => [
          name,
          provider,
          model,
          baseUrl,
        ]);
        return new AnswerCache(
          cache,
          [chains, routes, names, outputTokensMax, contextTokensMax, answerLinkHosts],
          answerCache.seconds,
        );
      },
    },
    {
      provide: QueryService,
      inject: [
        CollectionRepository,
        EmbeddingModels,
        Retriever,
        ModelRouter,
        ModelAnswerer,
        AnswerCache,
        Ledger,
        QueryObserver,
        CONFIG,
      ],
      useFactory: (
        collections: CollectionRepository,
        embeddings: EmbeddingModels,
        retriever: Retriever,
        router: ModelRouter,
        answerer: ModelAnswerer,
        cache: AnswerCache,
        ledger: Ledger,
        observer: QueryObserver,
        { models }: Config,
      ) =>
        new QueryService(
          collections,
          { embeddings, retriever },
          router,
          answerer,
          cache,
          ledger,
          observer,
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
  exports: [ConversationService, QueryService],
})
export class QueryModule {}

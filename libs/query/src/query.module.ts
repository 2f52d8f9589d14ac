import { Module } from '@nestjs/common';
import { Cache, CacheModule } from '#libs/cache';
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
import { AnswerCache } from './answer-cache.js';
import { ModelAnswerer } from './model-answer.js';
import { QueryService } from './query.service.js';

@Module({
  imports: [CacheModule, CorpusModule, ModelsModule, ObservabilityModule],
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
      useFactory: (router: ModelRouter, { models, contextTokensMax }: Config) =>
        new ModelAnswerer(router, {
          route: models.routes.answer,
          contextTokensMax,
          outputTokensMax: models.outputTokensMax,
        }),
    },
    {
      provide: AnswerCache,
      inject: [Cache, CONFIG],
      useFactory: (cache: Cache, { models, contextTokensMax, answerCache }: Config) => {
        const { chains, routes, outputTokensMax } = models;
        const names = Object.values(models.models).map(({ name, provider, model, baseUrl }) => [
          name,
          provider,
          model,
          baseUrl,
        ]);
        return new AnswerCache(
          cache,
          [chains, routes, names, outputTokensMax, contextTokensMax],
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
      ) =>
        new QueryService(collections, { embeddings, retriever }, router, answerer, cache, ledger, observer),
    },
  ],
  exports: [QueryService],
})
export class QueryModule {}

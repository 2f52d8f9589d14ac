import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import {
  ChunkRepository,
  CollectionRepository,
  CorpusModule,
  LEXICAL_ENGINE,
  type LexicalEngine,
} from '#libs/corpus';
import { CHAT_MODEL, type ChatModel, EmbeddingModels, ModelsModule } from '#libs/model-routing';
import { Retriever } from '#libs/retrieval';
import { QueryService } from './query.service.js';

@Module({
  imports: [CorpusModule, ModelsModule],
  providers: [
    {
      provide: Retriever,
      inject: [ChunkRepository, LEXICAL_ENGINE],
      useFactory: (chunks: ChunkRepository, lexicalEngine: LexicalEngine) =>
        new Retriever(chunks, lexicalEngine),
    },
    {
      provide: QueryService,
      inject: [CONFIG, CollectionRepository, EmbeddingModels, Retriever, CHAT_MODEL],
      useFactory: (
        config: Config,
        collections: CollectionRepository,
        embeddings: EmbeddingModels,
        retriever: Retriever,
        chat: ChatModel | null,
      ) =>
        new QueryService(collections, embeddings, retriever, chat, {
          contextTokensMax: config.contextTokensMax,
          outputTokensMax: config.chat?.outputTokensMax ?? 0,
          usdPerMillionTokens: config.chat?.usdPerMillionTokens ?? null,
        }),
    },
  ],
  exports: [QueryService],
})
export class QueryModule {}

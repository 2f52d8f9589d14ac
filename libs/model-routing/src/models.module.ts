import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { CacheModule, REDIS } from '#libs/cache';
import { CONFIG, type Config, type RemoteEmbeddingsConfig } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { LocalEmbeddingModel } from './adapters/local/local-embedding-model.js';
import { OpenAiCompatibleEmbeddingModel } from './adapters/openai-compatible/openai-compatible-embedding-model.js';
import { QuestionEmbeddings } from './batching/question-embeddings.js';
import { EmbeddingModels } from './embedding-models.js';
import { bookEmbeddings } from './ledger/embedding-calls.js';
import { DatabaseLedger } from './ledger/database-ledger.js';
import { Ledger } from './ledger/ledger.js';
import { ModelCallRepository } from './ledger/model-call.repository.js';
import { measureModels } from './measure-models.js';
import { openRouter } from './open-router.js';
import { BreakerShare, NoBreakerShare } from './routing/breaker-share.js';
import { ModelRouter } from './routing/model-router.js';
import { RedisBreakerShare } from './routing/redis-breaker-share.js';

@Module({
  imports: [CacheModule, DatabaseModule],
  providers: [
    { provide: EmbeddingModels, inject: [CONFIG, Ledger], useFactory: chooseEmbeddingModels },
    {
      provide: ModelCallRepository,
      inject: [Database],
      useFactory: (database: Database) => new ModelCallRepository(database),
    },
    {
      provide: Ledger,
      inject: [ModelCallRepository, CONFIG],
      useFactory: (calls: ModelCallRepository, { models }: Config) =>
        new DatabaseLedger(calls, models.budgets),
    },
    {
      provide: BreakerShare,
      inject: [REDIS],
      useFactory: (redis: Redis | null) => (redis ? new RedisBreakerShare(redis) : new NoBreakerShare()),
    },
    {
      provide: ModelRouter,
      inject: [CONFIG, Ledger, BreakerShare],
      useFactory: ({ models }: Config, ledger: Ledger, share: BreakerShare) =>
        openRouter(models, ledger, share),
    },
  ],
  exports: [EmbeddingModels, Ledger, ModelCallRepository, ModelRouter],
})
export class ModelsModule implements OnApplicationShutdown {
  private readonly endMeasuring: () => void;

  constructor(
    @Inject(EmbeddingModels) private readonly embeddings: EmbeddingModels,
    @Inject(ModelRouter) private readonly router: ModelRouter,
    @Inject(Ledger) private readonly ledger: DatabaseLedger,
    @Inject(BreakerShare) private readonly share: BreakerShare,
    @Inject(ModelCallRepository) calls: ModelCallRepository,
    @Inject(CONFIG) { models }: Config,
  ) {
    this.endMeasuring = measureModels(router, calls, models.budgets);
  }

  async onApplicationShutdown(): Promise<void> {
    this.endMeasuring();
    await Promise.all([this.embeddings.close(), this.router.close(), this.share.close()]);
    await this.ledger.close();
  }
}

/** The local model is always there: it costs nothing until a collection it embedded is used. */
function chooseEmbeddingModels(
  { embeddings, previousEmbeddings, embeddingBatch }: Config,
  ledger: Ledger,
): EmbeddingModels {
  const local = new QuestionEmbeddings(
    new LocalEmbeddingModel({ ...(embeddings.threads && { threads: embeddings.threads }) }),
    null, // it computes one text after the other: a batch of 32 makes the first wait for the last (bench/GATEWAY.md)
  );
  const remote = (config: RemoteEmbeddingsConfig) => {
    const model = remoteModel(config);
    const book = bookEmbeddings(ledger, model.model, model.provider, config.prices);
    return new QuestionEmbeddings(model, embeddingBatch, book);
  };
  const previous = previousEmbeddings ? [remote(previousEmbeddings)] : [];
  if (embeddings.provider === 'local') return new EmbeddingModels(local, previous);
  return new EmbeddingModels(remote(embeddings), [...previous, local]);
}

function remoteModel({ baseUrl, apiKey, model, dimensions, headers }: RemoteEmbeddingsConfig) {
  return new OpenAiCompatibleEmbeddingModel({
    baseUrl,
    model,
    dimensions,
    headers,
    ...(apiKey && { apiKey }),
  });
}

import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { ChunkRepository, CorpusModule } from '#libs/corpus';
import { ModelRouter, ModelsModule } from '#libs/model-routing';
import { ObservabilityModule, QueryObserver } from '#libs/observability';
import { QueryModule, QueryService } from '#libs/query';
import { AgentService } from './agent.service.js';

@Module({
  imports: [CorpusModule, ModelsModule, ObservabilityModule, QueryModule],
  providers: [
    {
      provide: AgentService,
      inject: [QueryService, ChunkRepository, ModelRouter, QueryObserver, CONFIG],
      useFactory: (
        queries: QueryService,
        chunks: ChunkRepository,
        router: ModelRouter,
        observer: QueryObserver,
        { agent, models, contextTokensMax, answerLinkHosts }: Config,
      ) =>
        new AgentService(
          { queries, chunks, router },
          {
            ...agent,
            chain: models.routes.answer.complex,
            contextTokensMax,
            outputTokensMax: models.outputTokensMax,
            trustedHosts: new Set(answerLinkHosts),
          },
          observer,
        ),
    },
  ],
  exports: [AgentService],
})
export class AgentModule {}

import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { ChunkRepository, CorpusModule } from '#libs/corpus';
import { ModelRouter, ModelsModule } from '#libs/model-routing';
import { QueryModule, QueryService } from '#libs/query';
import { AgentService } from './agent.service.js';

@Module({
  imports: [CorpusModule, ModelsModule, QueryModule],
  providers: [
    {
      provide: AgentService,
      inject: [QueryService, ChunkRepository, ModelRouter, CONFIG],
      useFactory: (
        queries: QueryService,
        chunks: ChunkRepository,
        router: ModelRouter,
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
        ),
    },
  ],
  exports: [AgentService],
})
export class AgentModule {}

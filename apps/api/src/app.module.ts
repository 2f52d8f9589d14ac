import { type DynamicModule, Module, StandardSchemaSerializerInterceptor } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, Reflector } from '@nestjs/core';
import { LoggerModule, PinoLogger } from 'nestjs-pino';
import { AccessModule } from '#libs/access';
import { AgentModule } from '#libs/agent';
import { CacheModule } from '#libs/cache';
import { type Config, ConfigModule } from '#libs/config';
import { ConversationsModule } from '#libs/conversations';
import { CorpusModule } from '#libs/corpus';
import { DatabaseModule } from '#libs/database';
import { HealthModule } from '#libs/health';
import { IndexingModule, IndexingWorkerModule } from '#libs/indexing';
import { ModelsModule } from '#libs/model-routing';
import { loggerOptions, LogLevel, ObservabilityModule, UpkeepModule } from '#libs/observability';
import { QueryModule } from '#libs/query';
import { LogLevelController } from './admin/log-level.controller.js';
import { QueryLogController } from './admin/query-log.controller.js';
import { CollectionController } from './collections/collection.controller.js';
import { ConversationController } from './conversations/conversation.controller.js';
import { DocumentController } from './documents/document.controller.js';
import { FeedbackController } from './feedback/feedback.controller.js';
import { HealthController } from './health/health.controller.js';
import { IndexController } from './indexing/index.controller.js';
import { JobEvents } from './jobs/job-events.js';
import { JobController } from './jobs/job.controller.js';
import { KeyController } from './keys/key.controller.js';
import { McpController } from './mcp/mcp.controller.js';
import { McpServers } from './mcp/mcp-server.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { AgentChain } from './langserve/agent-chain.js';
import { AgentController } from './langserve/agent.controller.js';
import { RagChain } from './langserve/rag-chain.js';
import { RagController } from './langserve/rag.controller.js';
import { ChatController } from './openai/chat.controller.js';
import { ChatSender } from './openai/chat-sender.js';
import { DirectChat } from './openai/direct-chat.js';
import { DocumentChat } from './openai/document-chat.js';
import { EmbeddingController } from './openai/embedding.controller.js';
import { ModelController } from './openai/model.controller.js';
import { ResponseController } from './openai/response.controller.js';
import { ProblemFilter } from './problem/problem.filter.js';
import { validationPipe } from './problem/validation.js';
import { AnswerSender } from './query/answer-sender.js';
import { AnswerStreams } from './query/answer-streams.js';
import { Asking } from './query/asking.js';
import { QueryController } from './query/query.controller.js';
import { SharedStreams } from './query/shared-streams.js';
import { StreamController } from './query/stream.controller.js';
import { UsageController } from './usage/usage.controller.js';

@Module({})
export class AppModule {
  /** Embedded, the api does the worker's jobs too: the data folder has room for one process. */
  static forRoot(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        LoggerModule.forRoot(loggerOptions(config.log)),
        AccessModule,
        AgentModule,
        CacheModule,
        ConversationsModule,
        CorpusModule,
        DatabaseModule,
        HealthModule,
        IndexingModule,
        ModelsModule,
        ObservabilityModule,
        QueryModule,
        ...(config.database.engine === 'pglite' ? [IndexingWorkerModule, UpkeepModule] : []),
      ],
      controllers: [
        QueryController,
        FeedbackController,
        StreamController,
        ConversationController,
        IndexController,
        JobController,
        DocumentController,
        CollectionController,
        KeyController,
        HealthController,
        MetricsController,
        UsageController,
        QueryLogController,
        LogLevelController,
        ChatController,
        ResponseController,
        EmbeddingController,
        ModelController,
        RagController,
        AgentController,
        McpController,
      ],
      providers: [
        JobEvents,
        {
          provide: LogLevel,
          inject: [PinoLogger], // which makes the root
          useFactory: () => new LogLevel(PinoLogger.root),
        },
        Asking,
        AnswerStreams,
        SharedStreams,
        AnswerSender,
        ChatSender,
        DirectChat,
        DocumentChat,
        RagChain,
        AgentChain,
        McpServers,
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useFactory: validationPipe },
        {
          provide: APP_INTERCEPTOR,
          inject: [Reflector],
          useFactory: (reflector: Reflector) => new StandardSchemaSerializerInterceptor(reflector),
        },
      ],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { type Config, ConfigModule } from '#libs/config';
import { IndexingModule, IndexingWorkerModule } from '#libs/indexing';
import { loggerOptions } from '#libs/observability';

@Module({})
export class WorkerModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ConfigModule.forRoot(config),
        LoggerModule.forRoot(loggerOptions(config.log)),
        IndexingModule,
        IndexingWorkerModule,
      ],
    };
  }
}

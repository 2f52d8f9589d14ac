import { type DynamicModule, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { type Config, ConfigModule } from '#libs/config';
import { HealthModule } from '#libs/health';
import { IndexingModule, IndexingWorkerModule } from '#libs/indexing';
import { loggerOptions, UpkeepModule } from '#libs/observability';

@Module({})
export class WorkerModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ConfigModule.forRoot(config),
        LoggerModule.forRoot(loggerOptions(config.log)),
        HealthModule,
        IndexingModule,
        IndexingWorkerModule,
        UpkeepModule,
      ],
    };
  }
}

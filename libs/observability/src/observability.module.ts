import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { FeedbackService } from './feedback.service.js';
import { QueryLog } from './query-log/query-log.js';
import { QueryLogRepository } from './query-log/query-log.repository.js';
import { QueryObserver } from './query-observer.js';
import { measureWorkers } from './workers/measure-workers.js';
import { WorkerHeartbeatRepository } from './workers/worker-heartbeat.repository.js';

/** What happens to questions: counted, timed, logged. */
@Module({
  imports: [DatabaseModule],
  providers: [
    {
      provide: QueryLogRepository,
      inject: [Database],
      useFactory: (database: Database) => new QueryLogRepository(database),
    },
    {
      provide: WorkerHeartbeatRepository,
      inject: [Database],
      useFactory: (database: Database) => new WorkerHeartbeatRepository(database),
    },
    {
      provide: QueryLog,
      inject: [QueryLogRepository],
      useFactory: (repository: QueryLogRepository) => new QueryLog(repository),
    },
    {
      provide: QueryObserver,
      inject: [QueryLog, CONFIG],
      useFactory: (log: QueryLog, { queryLog }: Config) =>
        new QueryObserver(log, { keepsQuestions: queryLog.keepsQuestions }),
    },
    {
      provide: FeedbackService,
      inject: [QueryLogRepository, QueryLog],
      useFactory: (repository: QueryLogRepository, log: QueryLog) => new FeedbackService(repository, log),
    },
  ],
  exports: [FeedbackService, QueryLog, QueryLogRepository, QueryObserver, WorkerHeartbeatRepository],
})
export class ObservabilityModule implements OnApplicationShutdown {
  private readonly endMeasuring: () => void;

  constructor(
    @Inject(QueryLog) private readonly queryLog: QueryLog,
    @Inject(WorkerHeartbeatRepository) workers: WorkerHeartbeatRepository,
  ) {
    this.endMeasuring = measureWorkers(workers);
  }

  async onApplicationShutdown(): Promise<void> {
    this.endMeasuring();
    await this.queryLog.close();
  }
}

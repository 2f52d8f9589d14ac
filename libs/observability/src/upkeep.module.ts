import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { WorkerHeartbeat } from './workers/worker-heartbeat.js';
import { WorkerHeartbeatRepository } from './workers/worker-heartbeat.repository.js';
import { QueryLogDays } from './query-log/query-log-days.js';

/** Work in the background, of the worker or the embedded api. */
@Module({
  imports: [DatabaseModule],
  providers: [
    {
      provide: QueryLogDays,
      inject: [Database, CONFIG],
      useFactory: (database: Database, { queryLog }: Config) => new QueryLogDays(database, queryLog.daysKept),
    },
    {
      provide: WorkerHeartbeat,
      inject: [Database],
      useFactory: (database: Database) => new WorkerHeartbeat(new WorkerHeartbeatRepository(database)),
    },
  ],
})
export class UpkeepModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(QueryLogDays) private readonly days: QueryLogDays,
    @Inject(WorkerHeartbeat) private readonly heartbeat: WorkerHeartbeat,
  ) {}

  onApplicationBootstrap(): void {
    this.days.start();
    this.heartbeat.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.days.stop(), this.heartbeat.stop()]);
  }
}

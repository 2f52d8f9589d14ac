import { type BeforeApplicationShutdown, Inject, Module } from '@nestjs/common';
import { Database, DatabaseModule } from '#libs/database';
import { PgBossJobQueue } from './adapters/pg-boss-job-queue.js';
import { JobQueue } from './job-queue.js';
import { measureQueue } from './measure-queue.js';

@Module({
  imports: [DatabaseModule],
  providers: [
    {
      provide: JobQueue,
      inject: [Database],
      useFactory: async (database: Database): Promise<JobQueue> => {
        const queue = new PgBossJobQueue(database);
        await queue.start();
        return queue;
      },
    },
  ],
  exports: [JobQueue],
})
export class JobsModule implements BeforeApplicationShutdown {
  private readonly endMeasuring: () => void;

  constructor(@Inject(JobQueue) private readonly queue: JobQueue) {
    this.endMeasuring = measureQueue(queue);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.endMeasuring();
    await this.queue.stop();
  }
}

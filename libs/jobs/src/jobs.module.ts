import { type BeforeApplicationShutdown, Inject, Module } from '@nestjs/common';
import { Database, DatabaseModule } from '#libs/database';
import { PgBossJobQueue } from './adapters/pg-boss-job-queue.js';
import { JobQueue } from './job-queue.js';

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
  constructor(@Inject(JobQueue) private readonly queue: JobQueue) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.stop();
  }
}

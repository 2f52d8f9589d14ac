import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { measureDatabase } from './measure-database.js';
import { migrate } from './migrate.js';
import { openDatabase } from './open-database.js';
import { Database } from './ports/database.js';

/** The database, migrated before anything else sees it, closed after everything else has stopped. */
@Module({
  providers: [
    {
      provide: Database,
      inject: [CONFIG],
      useFactory: async (config: Config): Promise<Database> => {
        const database = await openDatabase(config.database);
        try {
          await migrate(database);
          return database;
        } catch (error) {
          await database.close();
          throw error;
        }
      },
    },
  ],
  exports: [Database],
})
export class DatabaseModule implements OnApplicationShutdown {
  private readonly endMeasuring: () => void;

  constructor(@Inject(Database) private readonly database: Database) {
    this.endMeasuring = measureDatabase(database);
  }

  async onApplicationShutdown(): Promise<void> {
    this.endMeasuring();
    await this.database.close();
  }
}

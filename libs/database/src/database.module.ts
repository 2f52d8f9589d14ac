import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
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
  constructor(@Inject(Database) private readonly database: Database) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}

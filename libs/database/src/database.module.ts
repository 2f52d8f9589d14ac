import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { measureDatabase } from './measure-database.js';
import { migrate } from './migrate.js';
import { openDatabase } from './open-database.js';
import { measurePgBouncer } from './pooler/measure-pgbouncer.js';
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
  private readonly endMeasuringPooler: (() => Promise<void>) | null;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(CONFIG) { database: options }: Config,
  ) {
    this.endMeasuring = measureDatabase(database);
    this.endMeasuringPooler =
      options.engine === 'postgres' && options.pgbouncerAdminUrl
        ? measurePgBouncer(options.pgbouncerAdminUrl, databaseOf(options.url))
        : null;
  }

  async onApplicationShutdown(): Promise<void> {
    this.endMeasuring();
    await this.endMeasuringPooler?.();
    await this.database.close();
  }
}

/** Without a name it is that of the user: https://www.postgresql.org/docs/current/libpq-connect.html */
function databaseOf(url: string): string {
  const { pathname, username } = new URL(url);
  return decodeURIComponent(pathname.slice(1) || username);
}

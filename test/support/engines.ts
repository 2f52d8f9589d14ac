import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { type Database, type DatabaseOptions, migrate, openDatabase } from '#libs/database';

interface Engine {
  name: string;
  options: DatabaseOptions | null;
  /** Why its tests are skipped; shown at the end of the run. */
  missing: string;
}

/** Every test that touches a database runs on each of these. */
const engines: Engine[] = [
  { name: 'PGlite', options: { engine: 'pglite', dataFolder: null }, missing: '' },
  {
    name: 'PostgreSQL server',
    options: process.env.TEST_DATABASE_URL
      ? { engine: 'postgres', url: process.env.TEST_DATABASE_URL, poolMax: 4, connectTimeoutMs: 5_000 }
      : null,
    missing:
      'needs a PostgreSQL 18 server with pgvector and pg_textsearch: set TEST_DATABASE_URL to an empty database',
  },
];

/** Runs the tests on both engines, each with a migrated database that the tests of one file share. */
export function describeOnEachEngine(name: string, tests: (open: () => Database) => void): void {
  for (const engine of engines) {
    describe(`${name} on ${engine.name}`, () => {
      let database: Database | undefined;

      beforeEach((context) => {
        if (!engine.options) context.skip(engine.missing);
      });

      beforeAll(async () => {
        if (!engine.options) return;
        database = await openDatabase(engine.options);
        await migrate(database);
      });

      afterAll(() => database?.close());

      tests(() => database!);
    });
  }
}

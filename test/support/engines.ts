import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { type Database, type DatabaseOptions, migrate, openDatabase } from '#libs/database';
import { createTestDatabase, serverMissing, type TestDatabase } from './stack.js';

export interface Engine {
  name: 'PGlite' | 'PostgreSQL';
  /** Why its tests are skipped; shown at the end of the run. Null: it is there. */
  missing: string | null;
  /** A database of its own for each test file. */
  create(): Promise<{ options: DatabaseOptions; drop: () => Promise<void> }>;
}

/** Every test that touches a database runs on each of these. */
export const engines: Engine[] = [
  {
    name: 'PGlite',
    missing: null,
    create: () =>
      Promise.resolve({ options: { engine: 'pglite', dataFolder: null }, drop: () => Promise.resolve() }),
  },
  {
    name: 'PostgreSQL',
    missing: serverMissing,
    create: async () => {
      const server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`);
      return { options: serverOptions(server), drop: server.drop };
    },
  },
];

/** Through pgBouncer in transaction mode, as in production. */
export function serverOptions(server: TestDatabase): DatabaseOptions {
  return {
    engine: 'postgres',
    url: server.url,
    directUrl: server.directUrl,
    poolMax: 4,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 60_000,
    idleInTransactionTimeoutMs: 60_000,
    applicationName: 'ragstone-test',
  };
}

/** Runs the tests on both engines, each with a migrated database that the tests of one file share. */
export function describeOnEachEngine(name: string, tests: (open: () => Database) => void): void {
  for (const engine of engines) {
    describe(`${name} on ${engine.name}`, () => {
      let database: Database | undefined;
      let drop: (() => Promise<void>) | undefined;

      beforeEach((context) => {
        if (engine.missing) context.skip(engine.missing);
      });

      beforeAll(async () => {
        if (engine.missing) return;
        const created = await engine.create();
        drop = created.drop;
        database = await openDatabase(created.options);
        await migrate(database);
      });

      afterAll(async () => {
        await database?.close();
        await drop?.();
      });

      tests(() => database!);
    });
  }
}

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { serverOptions } from '../../../test/support/engines.js';
import { createTestDatabase, serverMissing, stackEnvironment } from '../../../test/support/stack.js';
import { migrate, openDatabase, readMigrations } from './index.js';

describe('the schema', () => {
  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  it('is what migrations/schema.sql says ("npm run schema:dump" writes it)', async () => {
    const server = await createTestDatabase(`ragstone_schema_${randomUUID().slice(0, 8)}`);
    try {
      const database = await openDatabase(serverOptions(server));
      await migrate(database);
      await database.close();
      await expect(dump(server.directUrl)).toMatchFileSnapshot(join(projectFolder, 'migrations/schema.sql'));
    } finally {
      await server.drop();
    }
  });
});

describe('each migration', () => {
  it('says how old and new code go on side by side while it is rolled out', async () => {
    for (const { name, sql } of await readMigrations()) expect(sql, name).toMatch(/^-- Rollout: \S/m);
  });
});

/** Without what changes from run to run: the version of pg_dump and the token of its \restrict. */
function dump(url: string): string {
  const [command, ...args] = stackEnvironment!.PG_DUMP!.split(' ');
  const options = ['--schema-only', '--no-owner', '--no-privileges', '--schema=public', '--dbname', url];
  const done = spawnSync(command!, [...args, ...options], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (done.status !== 0) throw new Error(`pg_dump failed:\n${done.stderr}`);
  return done.stdout
    .split('\n')
    .filter((line) => !/^(\\(un)?restrict|-- Dumped (from|by)|--$)/.test(line))
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n');
}

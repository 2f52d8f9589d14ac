import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeOnEachEngine, serverOptions } from '../../../test/support/engines.js';
import { createTestDatabase, serverMissing } from '../../../test/support/stack.js';
import { waitFor } from '../../../test/support/wait-for.js';
import { openDatabase } from './index.js';
import { migrate, type Migration, readMigrations } from './migrate.js';

const suffix = () => Math.random().toString(36).slice(2);

function migration(name: string, sql: string): Migration {
  return { name, sql, sha256: sql };
}

describeOnEachEngine('migrate', (open) => {
  it('does nothing the second time', async () => {
    expect(await migrate(open())).toEqual([]);
  });

  it('lets two processes start at the same time: one applies, the other waits and finds it done', async () => {
    const id = suffix();
    const wanted = [migration(`9000_${id}.sql`, `create table race_${id} (n integer)`)];
    const applied = await Promise.all([migrate(open(), wanted), migrate(open(), wanted)]);
    expect(applied.flat()).toEqual([`9000_${id}.sql`]);
  });

  it('leaves nothing of a migration that fails half-way, and goes on after it was mended', async () => {
    const id = suffix();
    const name = `9001_${id}.sql`;
    const broken = migration(name, `create table half_${id} (n integer); select 1 / 0`);
    await expect(migrate(open(), [broken])).rejects.toMatchObject({ code: '22012' });
    const mended = migration(name, `create table half_${id} (n integer)`);
    expect(await migrate(open(), [mended])).toEqual([name]);
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    const name = `9002_${suffix()}.sql`;
    await migrate(open(), [migration(name, 'select 1')]);
    await expect(migrate(open(), [migration(name, 'select 2')])).rejects.toMatchObject({
      code: 'migration_changed',
    });
  });

  it('has both extensions', async () => {
    const rows = await open().query<{ extname: string }>({
      text: 'select extname from pg_extension order by extname',
    });
    expect(rows.map(({ extname }) => extname)).toEqual(expect.arrayContaining(['pg_textsearch', 'vector']));
  });
});

describe('a migration on a server', () => {
  it('that is killed half-way is whole after the next start', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`);
    const database = await openDatabase(serverOptions(server));
    try {
      const slow = migration(
        '9010_slow.sql',
        'create table half (n integer); select pg_sleep(60); create table other_half (n integer)',
      );
      const killed = migrate(database, [slow]).catch((error: unknown) => error);
      await waitFor('the migration to be half-way, and its connection to be killed', async () => {
        const rows = await database.maintain((session) =>
          session.query({
            text: `
              select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and query like '%other_half%' and pid <> pg_backend_pid()`,
          }),
        );
        return rows.length > 0;
      });
      expect(await killed).toMatchObject({ code: 'database_unavailable' });
      const mended = migration('9010_slow.sql', slow.sql.replace('pg_sleep(60)', 'pg_sleep(0)'));
      expect(await migrate(database, [mended])).toEqual(['9010_slow.sql']);
      const tables = await database.withoutTenant.query({
        text: `select relname from pg_class where relname in ('half', 'other_half') order by 1`,
      });
      expect(tables).toEqual([{ relname: 'half' }, { relname: 'other_half' }]);
    } finally {
      await database.close();
      await server.drop();
    }
  });

  it('says what an administrator must run where pgvector is missing', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`, 'template0');
    const database = await openDatabase(serverOptions(server));
    try {
      await expect(migrate(database)).rejects.toMatchObject({
        code: 'database_extension_missing',
        message: expect.stringContaining('create extension vector'),
      });
    } finally {
      await database.close();
      await server.drop();
    }
  });

  it('leaves no process above row-level security when several start at once on an empty database', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`);
    const options = serverOptions({ ...server, url: server.directUrl });
    const databases = await Promise.all([1, 2, 3].map(() => openDatabase(options)));
    try {
      const applied = await Promise.all(databases.map((database) => migrate(database)));
      expect(applied.flat()).toHaveLength((await readMigrations()).length);
      for (const database of databases) {
        expect(await database.query({ text: 'select current_user::text as role' })).toEqual([
          { role: 'ragstone_app' },
        ]);
      }
    } finally {
      for (const database of databases) await database.close();
      await server.drop();
    }
  });

  it('with one role for everything switches to one that row-level security binds', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`);
    const database = await openDatabase(serverOptions({ ...server, url: server.directUrl }));
    try {
      await migrate(database);
      const [role] = await database.query({ text: 'select current_user::text as role' });
      expect(role).toEqual({ role: 'ragstone_app' });
      expect(await migrate(database)).toEqual([]);
    } finally {
      await database.close();
      await server.drop();
    }
  });
});

describe('the migrations of the project', () => {
  it('are numbered without a gap', async () => {
    const names = (await readMigrations()).map(({ name }) => Number(name.slice(0, 4)));
    expect(names).toEqual(names.map((_, index) => index + 1));
  });
});

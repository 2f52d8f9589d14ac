import { describe, expect, it } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/engines.js';
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

describe('the migrations of the project', () => {
  it('are numbered without a gap', async () => {
    const names = (await readMigrations()).map(({ name }) => Number(name.slice(0, 4)));
    expect(names).toEqual(names.map((_, index) => index + 1));
  });
});

import { expect, it } from 'vitest';
import { currentTenant, runAsTenant } from '#libs/database';
import { RagError } from '#libs/errors';
import { queryLogDropped } from '#libs/metrics';
import { loggedQuery } from '../../../../test/support/logged-query.js';
import { QueryLog } from './query-log.js';
import type { QueryLogEntry } from './query-log-entry.js';

const TENANT = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

function fakeRepository() {
  const inserted: { tenant: string; entries: QueryLogEntry[] }[] = [];
  const faults: Error[] = [];
  return {
    inserted,
    faults,
    insert: (entries: readonly QueryLogEntry[]) => {
      const fault = faults.shift();
      if (fault) return Promise.reject(fault);
      inserted.push({ tenant: currentTenant(), entries: [...entries] });
      return Promise.resolve();
    },
  };
}

async function dropped(): Promise<number> {
  return (await queryLogDropped.get()).values[0]?.value ?? 0;
}

it('writes in batches, each as its tenant', async () => {
  const repository = fakeRepository();
  const log = new QueryLog(repository);
  runAsTenant(TENANT, () => {
    for (let index = 0; index < 600; index += 1) log.record(loggedQuery({ requestId: `a${index}` }));
  });
  runAsTenant(OTHER, () => log.record(loggedQuery({ requestId: 'b' })));
  await log.flush();
  expect(repository.inserted.map(({ tenant, entries }) => [tenant, entries.length])).toEqual([
    [TENANT, 500],
    [OTHER, 1],
    [TENANT, 100],
  ]);
});

it('keeps what a database that is away did not take, and writes it later', async () => {
  const repository = fakeRepository();
  const log = new QueryLog(repository);
  repository.faults.push(new RagError('database_unavailable', 'away', { retryable: true }));
  log.record(loggedQuery({ requestId: 'kept' }));
  expect(await log.flush()).toBe(false);
  expect(repository.inserted).toEqual([]);
  await log.close();
  expect(repository.inserted.map(({ entries }) => entries[0]!.requestId)).toEqual(['kept']);
});

it('drops and counts what the database refuses, and goes on with the rest', async () => {
  const repository = fakeRepository();
  const log = new QueryLog(repository);
  const before = await dropped();
  repository.faults.push(new Error('no such column'));
  runAsTenant(TENANT, () => log.record(loggedQuery({})));
  runAsTenant(OTHER, () => log.record(loggedQuery({ requestId: 'good' })));
  expect(await log.flush()).toBe(true);
  expect(await dropped()).toBe(before + 1);
  expect(repository.inserted.map(({ entries }) => entries[0]!.requestId)).toEqual(['good']);
});

it('is bounded: beyond it entries are dropped and counted, and nobody waits', async () => {
  const repository = fakeRepository();
  const log = new QueryLog(repository);
  const before = await dropped();
  for (let index = 0; index < 20_010; index += 1) log.record(loggedQuery({}));
  expect(await dropped()).toBe(before + 10);
  await log.close();
  expect(repository.inserted.reduce((sum, { entries }) => sum + entries.length, 0)).toBe(20_000);
});

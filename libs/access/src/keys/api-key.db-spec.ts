import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { TenantRepository } from '#libs/corpus';
import { type Database, DEFAULT_TENANT, runAsTenant } from '#libs/database';
import { describeOnEachEngine } from '../../../../test/support/engines.js';
import { Authenticator } from '../authenticator.js';
import type { Scope } from '../caller.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { parseApiKey } from './api-key-token.js';

const ADDRESS = '192.0.2.1';

function open(database: Database, cacheMs = 60_000) {
  const repository = new ApiKeyRepository(database);
  const tenants = new TenantRepository(database);
  const authenticator = new Authenticator(repository, null, tenants, { isRequired: true, cacheMs });
  return { repository, authenticator, keys: new ApiKeyService(repository, (id) => authenticator.forget(id)) };
}

function newKey(scopes: Scope[] = ['query']) {
  return { name: 'test', scopes, userId: null, expiresAt: null };
}

describeOnEachEngine('API keys', (openDatabase) => {
  it('tell who asks, before any tenant is known, and store no secret', async () => {
    const { keys, authenticator } = open(openDatabase());
    const tenant = randomUUID();
    const { key, token } = await runAsTenant(tenant, () =>
      keys.create({ ...newKey(['query', 'index']), userId: 'ann' }),
    );
    const caller = await authenticator.authenticate(token, ADDRESS);
    expect(caller).toEqual({
      tenantId: tenant,
      keyId: key.id,
      userId: 'ann',
      scopes: new Set(['query', 'index']),
    });
    const rows = await runAsTenant(tenant, () =>
      openDatabase().query({ text: 'select k::text, s::text from api_keys k, api_key_secrets s' }),
    );
    expect(JSON.stringify(rows)).toContain(key.id);
    expect(JSON.stringify(rows)).not.toContain(parseApiKey(token)!.secret);
  });

  it('are refused with another secret, after their time, and after they were revoked', async () => {
    const { keys, authenticator } = open(openDatabase());
    const { key, token } = await keys.create(newKey());
    const wrong = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
    const refused = { code: 'credentials_invalid' };
    await expect(authenticator.authenticate(wrong, ADDRESS)).rejects.toMatchObject(refused);
    await expect(authenticator.authenticate('rs_AAAAAAAAAAAA_x', ADDRESS)).rejects.toMatchObject(refused);
    await expect(authenticator.authenticate(null, ADDRESS)).rejects.toMatchObject({
      code: 'unauthenticated',
    });

    const short = await keys.create({ ...newKey(), expiresAt: new Date(Date.now() - 1) });
    await expect(authenticator.authenticate(short.token, ADDRESS)).rejects.toMatchObject({
      code: 'credentials_invalid',
      message: expect.stringContaining('expired'),
    });

    await authenticator.authenticate(token, ADDRESS);
    await keys.revoke(key.id);
    await expect(authenticator.authenticate(token, ADDRESS)).rejects.toMatchObject({
      code: 'credentials_invalid',
      message: expect.stringContaining('revoked'),
    });
    await expect(keys.rotate(key.id, 60)).rejects.toMatchObject({ code: 'key_not_found' });
    await expect(keys.revoke(randomUUID())).rejects.toMatchObject({ code: 'key_not_found' });
  });

  it('that another process revoked are refused as soon as the cache has forgotten them', async () => {
    const here = open(openDatabase(), 1);
    const elsewhere = open(openDatabase());
    const { key, token } = await elsewhere.keys.create(newKey());
    await here.authenticator.authenticate(token, ADDRESS);
    await elsewhere.keys.revoke(key.id);
    await expect
      .poll(() =>
        here.authenticator.authenticate(token, ADDRESS).then(
          () => 'taken',
          () => 'refused',
        ),
      )
      .toBe('refused');
  });

  it('have two secrets during a rotation and keep their id, and one afterwards', async () => {
    const { keys, authenticator } = open(openDatabase());
    const { key, token: old } = await keys.create(newKey());
    const rotated = await keys.rotate(key.id, 3_600);
    expect(rotated.key.id).toBe(key.id);
    expect(rotated.key.secrets).toHaveLength(2);
    for (const token of [old, rotated.token]) {
      expect(await authenticator.authenticate(token, ADDRESS)).toMatchObject({ keyId: key.id });
    }
    const again = await keys.rotate(key.id, 0);
    expect(await authenticator.authenticate(again.token, ADDRESS)).toMatchObject({ keyId: key.id });
    for (const token of [old, rotated.token]) {
      await expect(authenticator.authenticate(token, ADDRESS)).rejects.toMatchObject({
        code: 'credentials_invalid',
      });
    }
  });

  it('never live longer by a rotation than they would have', async () => {
    const { keys } = open(openDatabase());
    const { key } = await keys.create(newKey());
    const first = (await keys.rotate(key.id, 60)).key.secrets.at(-1)!;
    const second = (await keys.rotate(key.id, 86_400)).key.secrets.at(-1)!;
    expect(second.publicId).toBe(first.publicId);
    expect(second.expiresAt).toEqual(first.expiresAt);
  });

  it('note their use, at most once a minute', async () => {
    const { keys, authenticator, repository } = open(openDatabase());
    const { key, token } = await keys.create(newKey());
    expect((await repository.get(key.id)).secrets[0]!.lastUsedAt).toBeNull();
    await authenticator.authenticate(token, ADDRESS);
    await expect.poll(async () => (await repository.get(key.id)).secrets[0]!.lastUsedAt).not.toBeNull();
    const { lastUsedAt } = (await repository.get(key.id)).secrets[0]!;
    await repository.markUsed(parseApiKey(token)!.publicId);
    expect((await repository.get(key.id)).secrets[0]!.lastUsedAt).toEqual(lastUsedAt);
  });

  it('of one tenant are neither seen nor ended by another', async () => {
    const { keys } = open(openDatabase());
    const [mine, theirs] = [randomUUID(), randomUUID()];
    const { key } = await runAsTenant(theirs, () => keys.create(newKey()));
    await runAsTenant(mine, async () => {
      expect(await keys.list()).toEqual([]);
      await expect(keys.revoke(key.id)).rejects.toMatchObject({ code: 'key_not_found' });
      await expect(keys.rotate(key.id, 0)).rejects.toMatchObject({ code: 'key_not_found' });
    });
    expect(await runAsTenant(theirs, () => keys.list())).toHaveLength(1);
  });

  it('cost one statement in the time of the cache, however many ask', async () => {
    const database = openDatabase();
    const { keys, repository } = open(database);
    const { token } = await keys.create(newKey());
    let lookups = 0;
    const counting = Object.assign(Object.create(repository) as ApiKeyRepository, {
      find: (publicId: string) => {
        lookups += 1;
        return repository.find(publicId);
      },
    });
    const authenticator = new Authenticator(counting, null, new TenantRepository(database), {
      isRequired: true,
      cacheMs: 60_000,
    });
    await Promise.all(Array.from({ length: 50 }, () => authenticator.authenticate(token, ADDRESS)));
    await authenticator.authenticate(token, ADDRESS);
    expect(lookups).toBe(1);
    for (let n = 0; n < 5; n += 1) {
      await authenticator.authenticate('rs_AAAAAAAAAAAA_'.padEnd(59, 'A'), ADDRESS).catch(() => undefined);
    }
    expect(lookups).toBe(2);
  });

  it('are not to be guessed: an address that fails often has to wait, and nobody else does', async () => {
    const { authenticator, keys } = open(openDatabase());
    const { token } = await keys.create(newKey());
    const codes = new Set<string>();
    for (let n = 0; n < 80; n += 1) {
      const guess = `rs_AAAAAAAAAAAA_${String(n).padStart(43, 'B')}`;
      await authenticator
        .authenticate(guess, ADDRESS)
        .catch((error: { code: string }) => codes.add(error.code));
    }
    expect([...codes].sort()).toEqual(['credentials_invalid', 'rate_limited']);
    expect(await authenticator.authenticate(token, '192.0.2.2')).toMatchObject({ tenantId: DEFAULT_TENANT });
  });
});

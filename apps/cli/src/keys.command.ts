import { type ApiKey, ApiKeyRepository, ApiKeyService, isScope, type NewApiKey, scopes } from '#libs/access';
import { TenantRepository } from '#libs/corpus';
import { DEFAULT_TENANT, runAsTenant } from '#libs/database';
import { clientOf, type ServiceOptions } from './jobs.command.js';
import { withDatabase } from './with-database.js';

export interface KeyOptions extends ServiceOptions {
  tenant?: string;
}

/** As the API tells it. */
interface KeyView {
  key_id: string;
  name: string;
  scopes: string[];
  user_id: string | null;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  secrets: { prefix: string; expires_at: string | null }[];
  key?: string;
}

/** Keys of one tenant, wherever they are. */
interface KeyStore {
  create(key: NewApiKey): Promise<KeyView>;
  list(): Promise<KeyView[]>;
  rotate(id: string, overlapSeconds: number): Promise<KeyView>;
  revoke(id: string): Promise<void>;
}

const DAY_SECONDS = 86_400;
const units = { s: 1, m: 60, h: 3_600, d: DAY_SECONDS };

export async function runKeysCreate(
  options: KeyOptions & { name: string; scopes: string; user?: string; expires?: string },
): Promise<void> {
  const wanted = options.scopes.split(',').map((name) => name.trim());
  if (!wanted.every(isScope)) throw new Error(`--scopes takes ${scopes.join(', ')}, with commas between.`);
  const expiresAt = options.expires === undefined ? null : timeOf(options.expires);
  const { name, user: userId = null } = options;
  await withKeys(options, async (keys) => {
    printIssued(await keys.create({ name, scopes: [...new Set(wanted)], userId, expiresAt }), options);
  });
}

export async function runKeysList(options: KeyOptions): Promise<void> {
  await withKeys(options, async (keys) => {
    const all = await keys.list();
    if (options.json) return console.log(JSON.stringify(all, null, 2));
    for (const key of all) console.log(lineOf(key));
    if (all.length === 0) console.log('no keys');
  });
}

export async function runKeysRotate(id: string, options: KeyOptions & { overlap: string }): Promise<void> {
  const overlapSeconds = secondsOf(options.overlap);
  if (overlapSeconds === null) throw new Error('--overlap is a time such as 1d, 12h, 30m or 0s.');
  await withKeys(options, async (keys) => printIssued(await keys.rotate(id, overlapSeconds), options));
}

export async function runKeysRevoke(ids: readonly string[], options: KeyOptions): Promise<void> {
  await withKeys(options, async (keys) => {
    for (const id of ids) {
      await keys.revoke(id);
      console.log(`${id}  revoked`);
    }
  });
}

async function withKeys(options: KeyOptions, work: (keys: KeyStore) => Promise<void>): Promise<void> {
  if (options.url) {
    if (options.tenant) throw new Error('With --url the tenant is that of --key: leave out --tenant.');
    return work(keysOfService(options));
  }
  await withDatabase(async (database) => {
    const found = options.tenant ? await new TenantRepository(database).find(options.tenant) : null;
    if (options.tenant && !found) {
      throw new Error(
        `There is no tenant "${options.tenant}". Make it: ragstone tenants create ${options.tenant}`,
      );
    }
    const keys = keysOfDatabase(new ApiKeyService(new ApiKeyRepository(database)));
    await runAsTenant(found?.id ?? DEFAULT_TENANT, () => work(keys));
  });
}

function keysOfDatabase(service: ApiKeyService): KeyStore {
  return {
    create: async (key) => {
      const issued = await service.create(key);
      return { ...viewOf(issued.key), key: issued.token };
    },
    list: async () => (await service.list()).map(viewOf),
    rotate: async (id, overlapSeconds) => {
      const issued = await service.rotate(id, overlapSeconds);
      return { ...viewOf(issued.key), key: issued.token };
    },
    revoke: (id) => service.revoke(id),
  };
}

function keysOfService(options: KeyOptions): KeyStore {
  const api = clientOf(options);
  const pathOf = (id: string) => `/keys/${encodeURIComponent(id)}`;
  return {
    create: ({ name, scopes: wanted, userId, expiresAt }) =>
      api.post<KeyView>('/keys', {
        name,
        scopes: wanted,
        ...(userId && { user_id: userId }),
        ...(expiresAt && { expires_at: expiresAt.toISOString() }),
      }),
    list: async () => (await api.get<{ keys: KeyView[] }>('/keys')).keys,
    rotate: (id, overlapSeconds) =>
      api.post<KeyView>(`${pathOf(id)}/rotate`, { overlap_seconds: overlapSeconds }),
    revoke: async (id) => {
      await api.delete(pathOf(id));
    },
  };
}

function viewOf({ id, name, scopes: granted, userId, expiresAt, revokedAt, secrets }: ApiKey): KeyView {
  const uses = secrets.flatMap(({ lastUsedAt }) => lastUsedAt ?? []);
  return {
    key_id: id,
    name,
    scopes: [...granted],
    user_id: userId,
    expires_at: expiresAt?.toISOString() ?? null,
    revoked_at: revokedAt?.toISOString() ?? null,
    last_used_at: uses.length === 0 ? null : new Date(Math.max(...uses.map(Number))).toISOString(),
    secrets: secrets.map(({ publicId, expiresAt: end }) => ({
      prefix: `rs_${publicId}_`,
      expires_at: end?.toISOString() ?? null,
    })),
  };
}

/** The key alone goes to the standard output, so that a script can keep it. */
function printIssued(view: KeyView, { json }: KeyOptions): void {
  if (json) return console.log(JSON.stringify(view, null, 2));
  console.error(`${lineOf(view)}\nThis key is shown once and kept nowhere; store it now:`);
  console.log(view.key);
}

function lineOf({
  key_id,
  name,
  scopes: granted,
  user_id,
  expires_at,
  revoked_at,
  last_used_at,
  secrets,
}: KeyView) {
  const state = revoked_at
    ? 'revoked'
    : expires_at && Date.parse(expires_at) <= Date.now()
      ? 'expired'
      : 'valid';
  return [
    key_id,
    state.padEnd(7),
    granted.join(','),
    secrets.map(({ prefix }) => `${prefix}...`).join(' '),
    name,
    ...(user_id ? [`user ${user_id}`] : []),
    ...(expires_at ? [`until ${expires_at}`] : []),
    last_used_at ? `last used ${last_used_at}` : 'never used',
  ].join('  ');
}

function timeOf(text: string): Date {
  const seconds = secondsOf(text);
  const time = seconds === null ? new Date(text) : new Date(Date.now() + seconds * 1_000);
  if (Number.isNaN(time.getTime()) || time.getTime() <= Date.now()) {
    throw new Error('--expires is a time to come: 90d, 12h, or a date such as 2027-01-31.');
  }
  return time;
}

function secondsOf(text: string): number | null {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return count ? Number(count) * units[unit as keyof typeof units] : null;
}

import { randomUUID } from 'node:crypto';
import { ApiKeyService, type Scope } from '#libs/access';
import { TenantRepository } from '#libs/corpus';
import { runAsTenant } from '#libs/database';
import type { RagstoneClient } from './ragstone-client.js';
import type { TestApi } from './test-api.js';

/** A tenant that is alone with its documents, and a client with a key of it. */
export interface TestTenant {
  id: string;
  name: string;
  keyId: string;
  key: string;
  client: RagstoneClient;
}

export async function addTenant(
  { app, client }: TestApi,
  { scopes = ['admin'], userId = null }: { scopes?: Scope[]; userId?: string | null } = {},
): Promise<TestTenant> {
  const id = randomUUID();
  const name = `tenant-${id}`;
  await app.get(TenantRepository, { strict: false }).create({ id, name });
  const { key, token } = await addKey({ app } as TestApi, id, scopes, userId);
  return { id, name, keyId: key.id, key: token, client: client.as(token) };
}

export function addKey({ app }: TestApi, tenantId: string, scopes: Scope[], userId: string | null = null) {
  const keys = app.get(ApiKeyService, { strict: false });
  return runAsTenant(tenantId, () => keys.create({ name: 'test', scopes, userId, expiresAt: null }));
}

import { AsyncLocalStorage } from 'node:async_hooks';

/** The one tenant of an installation without tenants. */
export const DEFAULT_TENANT = '00000000-0000-0000-0000-000000000000';

const tenants = new AsyncLocalStorage<string>();

/** Everything that `work` awaits reads and writes the rows of this tenant (a uuid) and no others. */
export function runAsTenant<T>(tenantId: string, work: () => T): T {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tenantId)) {
    throw new Error(`not the id of a tenant: ${tenantId}`);
  }
  return tenants.run(tenantId, work);
}

export function currentTenant(): string {
  return tenants.getStore() ?? DEFAULT_TENANT;
}

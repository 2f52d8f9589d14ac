import { randomUUID } from 'node:crypto';
import { TenantRepository } from '#libs/corpus';
import { withDatabase } from './with-database.js';

export async function runTenantsCreate(name: string): Promise<void> {
  await withDatabase(async (database) => {
    const tenants = new TenantRepository(database);
    if (await tenants.find(name)) throw new Error(`There is a tenant "${name}" already.`);
    const id = randomUUID();
    await tenants.create({ id, name });
    console.log(`${id}  ${name}`);
  });
}

export async function runTenantsList(): Promise<void> {
  await withDatabase(async (database) => {
    for (const { id, name } of await new TenantRepository(database).list()) console.log(`${id}  ${name}`);
  });
}

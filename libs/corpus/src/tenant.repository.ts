import type { Database } from '#libs/database';

export interface Tenant {
  id: string;
  name: string;
}

/** Who shares this installation. The names are no secret of any tenant; everything else is (`runAsTenant`). */
export class TenantRepository {
  constructor(private readonly database: Database) {}

  async list(): Promise<Tenant[]> {
    return this.database.query<Tenant>({ text: 'select tenant_id as id, name from tenants order by name' });
  }

  /** By name or by id. */
  async find(nameOrId: string): Promise<Tenant | null> {
    const [tenant] = await this.database.query<Tenant>({
      text: 'select tenant_id as id, name from tenants where name = $1::text or tenant_id::text = $1::text limit 1',
      values: [nameOrId],
    });
    return tenant ?? null;
  }

  async create(tenant: Tenant): Promise<void> {
    await this.database.query({
      text: 'insert into tenants (tenant_id, name) values ($1::uuid, $2::text)',
      values: [tenant.id, tenant.name],
    });
  }
}

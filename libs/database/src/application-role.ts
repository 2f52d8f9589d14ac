import { RagError } from '#libs/errors';
import type { Database, SqlExecutor, Transaction } from './ports/database.js';

/** What statements run as where the connection's own role owns the tables and so stands above row-level security. */
const APPLICATION_ROLE = 'ragstone_app';

/** Tables without a policy, and what the application may not do to them. */
const ownersRights = { schema_migrations: 'insert, update, delete', tenants: 'update, delete' };

/** The one of migrations: rights on tables that another process is changing fail with "tuple concurrently updated". */
const GRANT_LOCK = 7_246_783;

interface RoleFacts {
  user: string;
  /** Row-level security does not bind this user: it owns the tables, or is a superuser. */
  unbound: boolean;
}

/**
 * Makes sure that row-level security binds what the application does. Two ways:
 * - DATABASE_URL's user is not DATABASE_DIRECT_URL's, the owner: it gets the rights to read and write, and is bound.
 * - It is the same (embedded, small installations): every statement switches to a role without rights of its own.
 */
export async function applyRole(database: Database, changed: boolean): Promise<void> {
  const { user, unbound } = await factsOf(database.withoutTenant);
  const role = unbound ? APPLICATION_ROLE : user;
  if (unbound && !(await canSwitch(database.withoutTenant))) await createRole(database, user);
  await grantOnce(database, { role, schema: 'public', table: 'documents', changed });
  database.switchRole(unbound ? APPLICATION_ROLE : null);
}

/** Rights for the application on another schema of ours, the job queue's, where `table` of it can't be read yet. */
export async function grantToApplication(database: Database, schema: string, table: string): Promise<void> {
  const { user, unbound } = await factsOf(database.withoutTenant);
  const role = unbound ? APPLICATION_ROLE : user;
  await grantOnce(database, { role, schema, table, changed: false });
}

/** Under a lock, and looked at again there: two processes that grant at once fail with "tuple concurrently updated". */
async function grantOnce(
  database: Database,
  { role, schema, table, changed }: { role: string; schema: string; table: string; changed: boolean },
): Promise<void> {
  if (!changed && (await canRead(database.withoutTenant, role, schema, table))) return;
  await database.ownerTransaction(async (tx) => {
    await tx.query({ text: 'select pg_advisory_xact_lock($1::bigint)', values: [GRANT_LOCK] });
    if (changed || !(await canRead(tx, role, schema, table))) await grantSchema(tx, schema, role);
  });
}

async function factsOf(executor: SqlExecutor): Promise<RoleFacts> {
  const [facts] = await executor.query<RoleFacts>({
    text: `
      select current_user::text as user,
        rolsuper or rolbypassrls or pg_has_role(
          current_user, (select relowner from pg_class where oid = to_regclass('public.documents')), 'usage'
        ) as unbound
      from pg_roles where rolname = current_user`,
  });
  return facts!;
}

async function canSwitch(executor: SqlExecutor): Promise<boolean> {
  const [row] = await executor.query<{ member: boolean }>({
    text: `select pg_has_role(current_user, oid, 'set') as member from pg_roles where rolname = $1::text`,
    values: [APPLICATION_ROLE],
  });
  return row?.member ?? false;
}

async function canRead(executor: SqlExecutor, role: string, schema: string, table: string): Promise<boolean> {
  const [row] = await executor.query<{ granted: boolean }>({
    text: `
      select has_schema_privilege($1::text, n.oid, 'usage') and has_table_privilege($1::text, c.oid, 'select') as granted
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $2::text and c.relname = $3::text`,
    values: [role, schema, table],
  });
  return row?.granted ?? true; // no such table: nothing to read
}

async function createRole(database: Database, user: string): Promise<void> {
  const statements = `create role ${APPLICATION_ROLE} nologin; grant ${APPLICATION_ROLE} to "${user}" with set true, inherit false`;
  try {
    await database.ownerTransaction(async (tx) => {
      // Roles belong to the server: another database of it may have made this one, or be about to.
      await tx.query({
        text: `
          do $$ begin
            create role ${APPLICATION_ROLE} nologin;
          exception when duplicate_object or unique_violation then null;
          end $$`,
      });
      await tx.query({ text: `grant ${APPLICATION_ROLE} to "${user}" with set true, inherit false` });
    });
  } catch (cause) {
    throw new RagError(
      'database_role_missing',
      `Ragstone runs its statements as the role ${APPLICATION_ROLE}, so that row-level security keeps tenants apart, and "${user}" may not make it. As an administrator run: ${statements}; or give DATABASE_DIRECT_URL the owner of the schema and DATABASE_URL a user that owns nothing.`,
      { cause },
    );
  }
}

async function grantSchema(tx: Transaction, schema: string, role: string): Promise<void> {
  await tx.query({
    text: `
      grant usage on schema ${schema} to "${role}";
      grant select, insert, update, delete on all tables in schema ${schema} to "${role}";
      grant usage on all sequences in schema ${schema} to "${role}";
      alter default privileges in schema ${schema} grant select, insert, update, delete on tables to "${role}"`,
  });
  for (const [table, rights] of Object.entries(ownersRights)) {
    const [known] = await tx.query({
      text: 'select 1 from pg_class where oid = to_regclass($1::text)',
      values: [`${schema}.${table}`],
    });
    if (known) await tx.query({ text: `revoke ${rights} on ${schema}.${table} from "${role}"` });
  }
}

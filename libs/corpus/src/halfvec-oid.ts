import type { SqlExecutor } from '#libs/database';

/** The oid of pgvector's halfvec, which differs from database to database; asked for once. */
export class HalfvecOid {
  private known: number | undefined;

  async get(executor: SqlExecutor): Promise<number> {
    if (this.known === undefined) {
      const [row] = await executor.query<{ oid: number }>({ text: `select 'halfvec'::regtype::oid as oid` });
      this.known = row!.oid;
    }
    return this.known;
  }
}

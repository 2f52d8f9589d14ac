import { Logger } from '@nestjs/common';
import type { Database, Transaction } from '#libs/database';

const INTERVAL_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** Partitions are made so many days ahead. */
const DAYS_AHEAD = 3;
/** Any constant does, as long as every Ragstone uses the same one. */
const LOCK = 7_246_785;
/** A long statement on the log is not made to wait behind us; the next round tries again. */
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Makes the query log's partitions, one a day (UTC), and drops those that are older than it is to be kept. Dropping a day
 * costs nothing and leaves nothing to vacuum. Any number of processes may do so.
 */
export class QueryLogDays {
  private readonly logger = new Logger(QueryLogDays.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly daysKept: number,
  ) {}

  start(): void {
    this.run();
    this.timer = setInterval(() => this.run(), INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** @returns the partitions that this call made and dropped, by name */
  async maintain(now = new Date()): Promise<{ made: string[]; dropped: string[] }> {
    const today = Date.parse(now.toISOString().slice(0, 10));
    const wanted = Array.from({ length: DAYS_AHEAD + 1 }, (_, index) => new Date(today + index * DAY_MS));
    const oldest = partitionOf(new Date(today - this.daysKept * DAY_MS));
    const known = await this.list();
    const missing = wanted.filter((day) => !known.includes(partitionOf(day)));
    const old = known.filter((name) => name < oldest);
    const made: string[] = [];
    const dropped: string[] = [];
    for (const day of missing) if (await this.locked((tx) => make(tx, day))) made.push(partitionOf(day));
    await this.dropEarly(new Date(today - this.daysKept * DAY_MS));
    for (const name of old) if (await this.locked((tx) => drop(tx, name))) dropped.push(name);
    if (dropped.length > 0) this.logger.log('old days of the query log dropped', { days: dropped });
    return { made, dropped };
  }

  /** Of all tenants, which is the owner's right. */
  private async dropEarly(before: Date): Promise<void> {
    await this.locked(async (tx) => {
      const text = 'delete from query_logs_default where created_at < $1::timestamptz';
      await tx.query({ text, values: [before.toISOString()] });
      await tx.query({
        text: `
          delete from feedback f
          where f.created_at < $1::timestamptz
            and not exists (
              select from query_logs l where l.tenant_id = f.tenant_id and l.request_id = f.request_id
            )`,
        values: [before.toISOString()],
      });
      return true;
    });
  }

  private run(): void {
    this.running = this.maintain().then(
      () => undefined,
      (error: unknown) => this.logger.error("the query log's days are not looked after", error),
    );
  }

  private async list(): Promise<string[]> {
    const rows = await this.database.query<{ name: string }>({
      text: `
        select c.relname as name
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'public.query_logs'::regclass and c.relname ~ '^query_logs_[0-9]{8}$'
        order by c.relname`,
    });
    return rows.map(({ name }) => name);
  }

  private async locked(work: (tx: Transaction) => Promise<boolean>): Promise<boolean> {
    return this.database.ownerTransaction(
      async (tx) => {
        await tx.query({ text: 'select pg_advisory_xact_lock($1::bigint)', values: [LOCK] });
        return work(tx);
      },
      { lockTimeoutMs: LOCK_TIMEOUT_MS },
    );
  }
}

/** Rows that came before their day had a partition are in the default one, and move. */
async function make(tx: Transaction, day: Date): Promise<boolean> {
  const name = partitionOf(day);
  const from = day.toISOString();
  const to = new Date(day.getTime() + DAY_MS).toISOString();
  const [known] = await tx.query({ text: `select 1 where to_regclass('public.${name}') is not null` });
  if (known) return false;
  await tx.query({
    text: `
      lock table query_logs_default in access exclusive mode;
      create table ${name} (like query_logs including defaults including constraints);
      alter table ${name} enable row level security;
      create policy tenant on ${name}
        using (tenant_id = (select nullif(current_setting('ragstone.tenant_id', true), '')::uuid));
      with early as (
        delete from query_logs_default where created_at >= '${from}' and created_at < '${to}' returning *
      )
      insert into ${name} select * from early;
      alter table query_logs attach partition ${name} for values from ('${from}') to ('${to}')`,
  });
  return true;
}

async function drop(tx: Transaction, name: string): Promise<boolean> {
  const [known] = await tx.query({ text: `select 1 where to_regclass('public.${name}') is not null` });
  if (!known) return false;
  await tx.query({ text: `drop table ${name}` });
  return true;
}

function partitionOf(day: Date): string {
  return `query_logs_${day.toISOString().slice(0, 10).replaceAll('-', '')}`;
}

import type { Database } from '#libs/database';

export interface WorkerIdentity {
  id: string;
  host: string;
  pid: number;
}

/** Which workers are there. Rows of the default tenant: workers are nobody's. */
export class WorkerHeartbeatRepository {
  constructor(private readonly database: Database) {}

  /** Those that have not been seen for a day are forgotten. */
  async beat({ id, host, pid }: WorkerIdentity): Promise<void> {
    await this.database.query({
      name: 'worker_beat',
      text: `
        with forgotten as (
          delete from worker_heartbeats where seen_at < now() - interval '1 day' and worker_id <> $1::uuid
        )
        insert into worker_heartbeats (worker_id, host, pid) values ($1::uuid, $2::text, $3::integer)
        on conflict (tenant_id, worker_id) do update set seen_at = now()`,
      values: [id, host, pid],
    });
  }

  async leave(id: string): Promise<void> {
    await this.database.query({
      text: 'delete from worker_heartbeats where worker_id = $1::uuid',
      values: [id],
    });
  }

  async countSeen(withinSeconds: number): Promise<number> {
    const [row] = await this.database.query<{ count: number }>({
      name: 'workers_seen',
      text: `
        select count(*)::integer as count from worker_heartbeats
        where seen_at > now() - make_interval(secs => $1::float8)`,
      values: [withinSeconds],
    });
    return row!.count;
  }
}

import { Client } from 'pg';

/** Below the time that a scrape gives to what is looked up. */
const ANSWER_MS_MAX = 800;

export interface PoolerUse {
  /** One a user. */
  pools: {
    user: string;
    clientsActive: number;
    clientsWaiting: number;
    serversActive: number;
    serversIdle: number;
    serversLogin: number;
    /** Of the client that waits longest. */
    waitSeconds: number;
  }[];
  /** Server connections that a pool may have. */
  serversMax: number;
  /** Since pgBouncer started. */
  transactions: number;
  waitSeconds: number;
}

interface PoolRow {
  database: string;
  user: string;
  cl_active: number;
  cl_waiting: number;
  sv_active: number;
  sv_idle: number;
  sv_used: number;
  sv_tested: number;
  sv_login: number;
  maxwait: number;
  maxwait_us: number;
}

interface StatsRow {
  database: string;
  total_xact_count: string;
  total_wait_time: string;
}

/** The admin console of pgBouncer, on one connection that is made anew when it broke. Reading needs a user of `stats_users`. */
export class PgBouncerConsole {
  private connection: Promise<Client> | null = null;

  /** @param database the name that clients give to the pooler */
  constructor(
    private readonly adminUrl: string,
    private readonly database: string,
  ) {}

  /** @throws whatever the driver throws: the console is away, refuses us, or is slow */
  async read(): Promise<PoolerUse> {
    const pools = await this.show<PoolRow>('pools');
    const databases = await this.show<{ name: string; pool_size: number }>('databases');
    const all = await this.show<StatsRow>('stats');
    const stats = all.find(({ database }) => database === this.database);
    return {
      pools: pools.filter((row) => row.database === this.database).map(toPool),
      serversMax: databases.find(({ name }) => name === this.database)?.pool_size ?? 0,
      transactions: Number(stats?.total_xact_count ?? 0),
      waitSeconds: Number(stats?.total_wait_time ?? 0) / 1e6,
    };
  }

  async close(): Promise<void> {
    const connection = await this.connection?.catch(() => null);
    this.connection = null;
    await connection?.end().catch(() => undefined);
  }

  /** The console understands plain statements alone, one at a time. */
  private async show<Row extends object>(what: 'pools' | 'databases' | 'stats'): Promise<Row[]> {
    this.connection ??= this.connect();
    const connection = this.connection;
    try {
      const client = await connection;
      return (await client.query<Row>(`show ${what}`)).rows;
    } catch (error) {
      this.forget(connection);
      throw error;
    }
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.adminUrl,
      connectionTimeoutMillis: ANSWER_MS_MAX,
      query_timeout: ANSWER_MS_MAX,
    });
    // Unheard, a connection that breaks would end the process.
    client.on('error', () => this.forget(this.connection));
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  private forget(connection: Promise<Client> | null): void {
    if (connection === null || this.connection !== connection) return;
    this.connection = null;
    void connection.then((client) => client.end()).catch(() => undefined);
  }
}

function toPool(row: PoolRow): PoolerUse['pools'][number] {
  return {
    user: row.user,
    clientsActive: row.cl_active,
    clientsWaiting: row.cl_waiting,
    serversActive: row.sv_active,
    serversIdle: row.sv_idle + row.sv_used + row.sv_tested,
    serversLogin: row.sv_login,
    waitSeconds: row.maxwait + row.maxwait_us / 1e6,
  };
}

import { type DashboardSpec, own, quantiles, rate } from '../panel.js';

export const database: DashboardSpec = {
  uid: 'ragstone-database',
  title: 'Ragstone: database',
  rows: [
    {
      title: "The processes' pools",
      panels: [
        {
          title: 'Pool',
          description:
            'Connections of each process: in_use, idle; waiting: statements that have none. Those should be short spikes.',
          unit: 'short',
          targets: [
            {
              expr: `sum by (instance, state) (ragstone_db_pool_connections{${own}})`,
              legend: '{{instance}} {{state}}',
            },
          ],
        },
        {
          title: 'Waiting for a connection',
          description: 'Of the own pool. Long here, and "Holding one" short: raise DATABASE_POOL_MAX.',
          unit: 's',
          limits: { warnAbove: 0.1, badAbove: 1 },
          targets: quantiles('ragstone_db_pool_wait_seconds'),
        },
        {
          title: 'Holding one',
          description:
            'A statement or transaction, with what the pooler lets it wait. Long here: the database is busy.',
          unit: 's',
          limits: { warnAbove: 1 },
          targets: quantiles('ragstone_db_connection_busy_seconds'),
        },
        {
          title: 'In use',
          description: 'Share of DATABASE_POOL_MAX.',
          unit: 'percentunit',
          limits: { warnAbove: 0.8 },
          targets: [
            {
              expr: `sum by (instance) (ragstone_db_pool_connections{state="in_use",${own}}) / sum by (instance) (ragstone_db_pool_connections_max{${own}})`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Statements a second',
          description: 'Statements and transactions of each process.',
          unit: 'ops',
          targets: rate('ragstone_db_connection_busy_seconds_count', 'instance'),
        },
        {
          title: 'Errors',
          description:
            'database_unavailable: away. database_timeout: longer than DATABASE_STATEMENT_TIMEOUT_MS.',
          unit: 'ops',
          limits: { badAbove: 0.1 },
          targets: rate('ragstone_db_errors_total', 'code'),
        },
      ],
    },
    {
      title: 'pgBouncer (with PGBOUNCER_ADMIN_URL)',
      panels: [
        {
          title: 'Clients of the pooler',
          description:
            'waiting: for a server connection. Red from where RagstonePoolerWaiting fires, if they wait for long.',
          unit: 'short',
          targets: [
            { expr: 'max by (user, state) (ragstone_pgbouncer_clients)', legend: '{{user}} {{state}}' },
          ],
        },
        {
          title: 'Server connections',
          description: 'To PostgreSQL. active at the line of pool_size: the pooler holds statements back.',
          unit: 'short',
          targets: [
            { expr: 'max by (user, state) (ragstone_pgbouncer_servers)', legend: '{{user}} {{state}}' },
            { expr: 'max(ragstone_pgbouncer_servers_max)', legend: 'pool_size' },
          ],
        },
        {
          title: 'Longest wait',
          description: 'Of the client that waits longest now; pgBouncer ends it at query_wait_timeout.',
          unit: 's',
          limits: { warnAbove: 0.1, badAbove: 1 },
          targets: [{ expr: 'max by (user) (ragstone_pgbouncer_oldest_wait_seconds)', legend: '{{user}}' }],
        },
        {
          title: 'Wait of a transaction',
          description: 'On the average, for its server connection.',
          unit: 's',
          limits: { warnAbove: 0.01, badAbove: 0.1 },
          targets: [
            {
              expr: 'max(rate(ragstone_pgbouncer_wait_seconds_total[$__rate_interval])) / max(rate(ragstone_pgbouncer_transactions_total[$__rate_interval]))',
            },
          ],
        },
        {
          title: 'Transactions through it',
          description: 'Of all processes.',
          unit: 'ops',
          targets: [{ expr: 'max(rate(ragstone_pgbouncer_transactions_total[$__rate_interval]))' }],
        },
        {
          title: 'Console answers',
          description:
            '1: the admin console answers. 0: pgBouncer is away, or refuses the user of PGBOUNCER_ADMIN_URL.',
          unit: 'short',
          limits: { badBelow: 1 },
          targets: [{ expr: 'min(ragstone_pgbouncer_up)' }],
        },
      ],
    },
    {
      title: 'Store',
      panels: [
        {
          title: 'Size of the database',
          description: 'On its server, with all indexes.',
          unit: 'bytes',
          span: 24,
          targets: [{ expr: 'max(ragstone_db_size_bytes)' }],
        },
      ],
    },
  ],
};

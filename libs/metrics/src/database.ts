import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

export const databaseConnections = new Gauge({
  name: 'ragstone_db_pool_connections',
  help: 'Connections of this process to the database: in_use, idle; and statements that wait for one: waiting.',
  labelNames: ['state'] as const,
  registers: [registry],
});

export const databaseConnectionsMax = new Gauge({
  name: 'ragstone_db_pool_connections_max',
  help: 'DATABASE_POOL_MAX; embedded there is one.',
  registers: [registry],
});

export const databaseWaitSeconds = new Histogram({
  name: 'ragstone_db_pool_wait_seconds',
  help: 'How long a statement or transaction waited for a connection.',
  buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  registers: [registry],
});

export const databaseBusySeconds = new Histogram({
  name: 'ragstone_db_connection_busy_seconds',
  help: 'How long a statement or transaction held its connection.',
  buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  registers: [registry],
});

export const databaseErrors = new Counter({
  name: 'ragstone_db_errors_total',
  help: 'Statements that the database did not carry out: database_unavailable, database_timeout, other.',
  labelNames: ['code'] as const,
  registers: [registry],
});

export const databaseSize = new Gauge({
  name: 'ragstone_db_size_bytes',
  help: 'Size of the database on its server.',
  registers: [registry],
});
for (const code of ['database_unavailable', 'database_timeout', 'other']) databaseErrors.inc({ code }, 0);

import { Counter, Gauge } from 'prom-client';
import { registry } from './registry.js';

export const pgbouncerUp = new Gauge({
  name: 'ragstone_pgbouncer_up',
  help: '1: the admin console of PGBOUNCER_ADMIN_URL answers. What follows is of the pools of our database alone.',
  registers: [registry],
});

export const pgbouncerClients = new Gauge({
  name: 'ragstone_pgbouncer_clients',
  help: 'Connections of clients: active (linked to a server connection, or idle), waiting (for a server connection).',
  labelNames: ['user', 'state'] as const,
  registers: [registry],
});

export const pgbouncerServers = new Gauge({
  name: 'ragstone_pgbouncer_servers',
  help: 'Connections to PostgreSQL: active, idle, login (being made).',
  labelNames: ['user', 'state'] as const,
  registers: [registry],
});

export const pgbouncerServersMax = new Gauge({
  name: 'ragstone_pgbouncer_servers_max',
  help: 'What a pool may have of them: pool_size.',
  registers: [registry],
});

export const pgbouncerOldestWaitSeconds = new Gauge({
  name: 'ragstone_pgbouncer_oldest_wait_seconds',
  help: 'How long the client that waits longest has waited; 0: none waits.',
  labelNames: ['user'] as const,
  registers: [registry],
});

export const pgbouncerWaitSeconds = new Counter({
  name: 'ragstone_pgbouncer_wait_seconds_total',
  help: 'Time that clients have waited for a server connection, all together.',
  registers: [registry],
});

export const pgbouncerTransactions = new Counter({
  name: 'ragstone_pgbouncer_transactions_total',
  help: 'Transactions through the pooler.',
  registers: [registry],
});

/** A metric without labels begins as 0, and where there is no pooler it would be a lie. */
for (const metric of [pgbouncerUp, pgbouncerServersMax, pgbouncerWaitSeconds, pgbouncerTransactions])
  metric.remove();

import {
  collectAtScrape,
  pgbouncerClients,
  pgbouncerOldestWaitSeconds,
  pgbouncerServers,
  pgbouncerServersMax,
  pgbouncerTransactions,
  pgbouncerUp,
  pgbouncerWaitSeconds,
} from '#libs/metrics';
import { PgBouncerConsole, type PoolerUse } from './pgbouncer-console.js';

/** Shows pgBouncer's pools of a database at each scrape. @returns ends it */
export function measurePgBouncer(adminUrl: string, database: string): () => Promise<void> {
  const console = new PgBouncerConsole(adminUrl, database);
  const end = collectAtScrape(async () => {
    try {
      show(await console.read());
    } catch (error) {
      forget(); // numbers of before would look as if all were well
      throw error;
    }
  });
  return () => {
    end();
    return console.close();
  };
}

function show({ pools, serversMax, transactions, waitSeconds }: PoolerUse): void {
  forget();
  pgbouncerUp.set(1);
  for (const pool of pools) {
    const { user } = pool;
    pgbouncerClients.set({ user, state: 'active' }, pool.clientsActive);
    pgbouncerClients.set({ user, state: 'waiting' }, pool.clientsWaiting);
    pgbouncerServers.set({ user, state: 'active' }, pool.serversActive);
    pgbouncerServers.set({ user, state: 'idle' }, pool.serversIdle);
    pgbouncerServers.set({ user, state: 'login' }, pool.serversLogin);
    pgbouncerOldestWaitSeconds.set({ user }, pool.waitSeconds);
  }
  pgbouncerServersMax.set(serversMax);
  pgbouncerTransactions.inc(transactions);
  pgbouncerWaitSeconds.inc(waitSeconds);
}

/** A pool that has no clients any more is gone from the console, too. */
function forget(): void {
  pgbouncerUp.set(0);
  for (const gauge of [pgbouncerClients, pgbouncerServers, pgbouncerOldestWaitSeconds]) gauge.reset();
  for (const metric of [pgbouncerServersMax, pgbouncerTransactions, pgbouncerWaitSeconds]) metric.remove();
}

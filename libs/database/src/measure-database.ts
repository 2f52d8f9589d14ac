import { collectAtScrape, databaseConnections, databaseConnectionsMax, databaseSize } from '#libs/metrics';
import type { Database } from './ports/database.js';

/** The server adds up files: not at each scrape of each process. */
const SIZE_MS = 60_000;

/** Shows the pool and the size of a database at each scrape. @returns ends it */
export function measureDatabase(database: Database): () => void {
  let sizedAt = -Infinity;
  return collectAtScrape(async () => {
    const { inUse, idle, waiting, max } = database.poolUse;
    databaseConnections.set({ state: 'in_use' }, inUse);
    databaseConnections.set({ state: 'idle' }, idle);
    databaseConnections.set({ state: 'waiting' }, waiting);
    databaseConnectionsMax.set(max);
    if (performance.now() - sizedAt < SIZE_MS) return;
    sizedAt = performance.now();
    const [row] = await database.withoutTenant.query<{ bytes: string }>({
      name: 'database_size',
      text: 'select pg_database_size(current_database()) as bytes',
    });
    databaseSize.set(Number(row!.bytes));
  });
}

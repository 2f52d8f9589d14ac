import type { Db } from 'pg-boss';
import type { SqlExecutor } from '#libs/database';

/** pg-boss over our own connections. */
export function executorFor(executor: SqlExecutor): Db {
  return {
    executeSql: async (text, values) => ({
      rows: await executor.query({ text, ...(values && { values }) }),
    }),
  };
}

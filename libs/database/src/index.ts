export { grantToApplication } from './application-role.js';
export { backup } from './backup/backup.js';
export { countRows, sampleChunks, type SampledChunk } from './backup/contents.js';
export type { PgTools } from './backup/pg-tools.js';
export { restore } from './backup/restore.js';
export { DatabaseModule } from './database.module.js';
export { listPending, migrate, readMigrations, type Migration } from './migrate.js';
export { openDatabase, type DatabaseOptions } from './open-database.js';
export {
  Database,
  type PoolUse,
  type SqlExecutor,
  type SqlQuery,
  type Transaction,
} from './ports/database.js';
export { halfvecArray, halfvecBinary, halfvecLiteral } from './halfvec.js';
export { currentTenant, DEFAULT_TENANT, runAsTenant } from './tenant.js';

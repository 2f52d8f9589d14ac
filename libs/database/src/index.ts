export { grantToApplication } from './application-role.js';
export { DatabaseModule } from './database.module.js';
export { migrate, readMigrations, type Migration } from './migrate.js';
export { openDatabase, type DatabaseOptions } from './open-database.js';
export { Database, type SqlExecutor, type SqlQuery, type Transaction } from './ports/database.js';
export { halfvecArray, halfvecLiteral } from './halfvec.js';
export { currentTenant, DEFAULT_TENANT, runAsTenant } from './tenant.js';

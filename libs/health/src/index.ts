export type { CheckStatus } from './health-check.js';
export { HealthModule } from './health.module.js';
export { type CheckReport, HealthService, type Readiness } from './health.service.js';
export { presentReadiness } from './present-readiness.js';

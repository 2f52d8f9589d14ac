export { type AccessConfig, isLoopback, type JwtConfig, type LimitsConfig } from './access/access-config.js';
export type { Limit } from './access/limit.js';
export { CONFIG, ConfigModule } from './config.module.js';
export {
  environmentVariables,
  readConfig,
  type Config,
  type EmbeddingsConfig,
  type RemoteEmbeddingsConfig,
} from './config.js';
export { loadDotEnv } from './env-file.js';
export type {
  BreakerConfig,
  BudgetConfig,
  ModelConfig,
  ModelLimits,
  ModelsConfig,
  PriceConfig,
  RouteConfig,
  Tokenizer,
} from './models/models-config.js';

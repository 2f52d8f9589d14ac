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

export { CONFIG, ConfigModule } from './config.module.js';
export {
  environmentVariables,
  readConfig,
  type ChatConfig,
  type Config,
  type EmbeddingsConfig,
  type RemoteEmbeddingsConfig,
} from './config.js';
export { loadDotEnv } from './env-file.js';

export { AccessModule } from './access.module.js';
export { Authenticator, type AuthenticatorOptions, localCaller } from './authenticator.js';
export { type Caller, callerName, isScope, mayDo, type Scope, scopes } from './caller.js';
export {
  IdempotentResponseRepository,
  type IdempotentRequest,
  type SavedResponse,
} from './idempotency/idempotent-response.repository.js';
export { type ApiKey, ApiKeyRepository, type NewApiKey } from './keys/api-key.repository.js';
export { ApiKeyService, type IssuedApiKey } from './keys/api-key.service.js';
export { LocalBuckets } from './limits/local-buckets.js';
export { type Admission, RateLimiter } from './limits/rate-limiter.js';
export { RedisBuckets } from './limits/redis-buckets.js';
export { type Bucket, TokenBuckets } from './limits/token-buckets.js';
export { TokenVerifier } from './tokens/token-verifier.js';

import {
  Inject,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import { CacheModule, REDIS } from '#libs/cache';
import { CONFIG, type Config } from '#libs/config';
import { CorpusModule, TenantRepository } from '#libs/corpus';
import { Database, DatabaseModule, runAsTenant } from '#libs/database';
import { Authenticator } from './authenticator.js';
import { IdempotentResponseRepository } from './idempotency/idempotent-response.repository.js';
import { ApiKeyRepository } from './keys/api-key.repository.js';
import { ApiKeyService } from './keys/api-key.service.js';
import { LocalBuckets } from './limits/local-buckets.js';
import { RateLimiter } from './limits/rate-limiter.js';
import { RedisBuckets } from './limits/redis-buckets.js';
import { TokenBuckets } from './limits/token-buckets.js';
import { TokenVerifier } from './tokens/token-verifier.js';

const SWEEP_MS = 10 * 60_000;

@Module({
  imports: [CacheModule, CorpusModule, DatabaseModule],
  providers: [
    {
      provide: ApiKeyRepository,
      inject: [Database],
      useFactory: (database: Database) => new ApiKeyRepository(database),
    },
    {
      provide: IdempotentResponseRepository,
      inject: [Database],
      useFactory: (database: Database) => new IdempotentResponseRepository(database),
    },
    {
      provide: Authenticator,
      inject: [ApiKeyRepository, TenantRepository, CONFIG],
      useFactory: (keys: ApiKeyRepository, tenants: TenantRepository, { access }: Config) =>
        new Authenticator(keys, access.jwt && new TokenVerifier(access.jwt), tenants, {
          isRequired: access.isRequired,
          cacheMs: access.cacheSeconds * 1_000,
        }),
    },
    {
      provide: ApiKeyService,
      inject: [ApiKeyRepository, Authenticator],
      useFactory: (keys: ApiKeyRepository, authenticator: Authenticator) =>
        new ApiKeyService(keys, (keyId) => authenticator.forget(keyId)),
    },
    {
      provide: TokenBuckets,
      inject: [REDIS],
      useFactory: (redis: Redis | null) => (redis ? new RedisBuckets(redis) : new LocalBuckets()),
    },
    {
      provide: RateLimiter,
      inject: [TokenBuckets, CONFIG],
      useFactory: (buckets: TokenBuckets, { limits }: Config) => new RateLimiter(buckets, limits),
    },
  ],
  exports: [ApiKeyService, Authenticator, IdempotentResponseRepository, RateLimiter],
})
export class AccessModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(AccessModule.name);
  private sweep: NodeJS.Timeout | undefined;

  constructor(
    @Inject(TokenBuckets) private readonly buckets: TokenBuckets,
    @Inject(TenantRepository) private readonly tenants: TenantRepository,
    @Inject(IdempotentResponseRepository) private readonly responses: IdempotentResponseRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.sweep = setInterval(() => {
      this.dropExpired().catch((error: unknown) =>
        this.logger.warn('old answers were not dropped', { error }),
      );
    }, SWEEP_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.sweep);
    this.buckets.close();
  }

  private async dropExpired(): Promise<void> {
    for (const { id } of await this.tenants.list()) {
      await runAsTenant(id, () => this.responses.dropExpired());
    }
  }
}

import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SingleFlight } from '#libs/cache';
import type { TenantRepository } from '#libs/corpus';
import { DEFAULT_TENANT, runAsTenant } from '#libs/database';
import { isRagError, RagError } from '#libs/errors';
import { type Caller, scopes } from './caller.js';
import type { ApiKeyRepository } from './keys/api-key.repository.js';
import { isSecret, parseApiKey } from './keys/api-key-token.js';
import { LocalBuckets } from './limits/local-buckets.js';
import type { TokenVerifier } from './tokens/token-verifier.js';

const CALLERS_MAX = 10_000;
const REFUSALS_MAX = 10_000;
const USES_MAX = 10_000;
const USE_NOTED_MS = 60_000;
/** Of one address: guessing is slow, and a client with an old key finds out all the same. */
const FAILURES = { perSecond: 1, burst: 60 };

/** Whoever asks a service without authentication: it listens on loopback alone. */
export const localCaller: Caller = {
  tenantId: DEFAULT_TENANT,
  keyId: null,
  userId: null,
  scopes: new Set(scopes),
};

interface Known {
  caller: Caller;
  expiresAtMs: number;
}

export interface AuthenticatorOptions {
  /** False: everybody is the local caller. */
  isRequired: boolean;
  /** How long a verified key or token is taken without another look: how long a revoked one lives at most. */
  cacheMs: number;
}

/**
 * Tells who sends a request by its API key or token. Verified ones are remembered for a few seconds by their hash, so
 * that a request costs no statement, and refused ones too, so that an old key in a loop does not either.
 */
export class Authenticator {
  private readonly logger = new Logger(Authenticator.name);
  private readonly known: LRUCache<string, Known>;
  private readonly refusals: LRUCache<string, RagError>;
  private readonly notedUses = new LRUCache<string, true>({ max: USES_MAX, ttl: USE_NOTED_MS });
  private readonly lookups = new SingleFlight<Known>();
  private readonly failures = new LocalBuckets();

  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly tokens: TokenVerifier | null,
    private readonly tenants: TenantRepository,
    private readonly options: AuthenticatorOptions,
  ) {
    this.known = new LRUCache({ max: CALLERS_MAX, ttl: options.cacheMs });
    this.refusals = new LRUCache({ max: REFUSALS_MAX, ttl: options.cacheMs });
  }

  get isRequired(): boolean {
    return this.options.isRequired;
  }

  /**
   * @param credential an API key or a token; null: none came
   * @param address of the client, which is slowed down after many failures
   * @throws {RagError} unauthenticated, credentials_invalid, rate_limited, issuer_unavailable, database_unavailable
   */
  async authenticate(credential: string | null, address: string): Promise<Caller> {
    if (!this.options.isRequired) return localCaller;
    if (credential === null) {
      throw new RagError(
        'unauthenticated',
        'This service wants an API key or a token: send "Authorization: Bearer rs_...". Make a key with "ragstone keys create".',
      );
    }
    const digest = hash('sha256', credential, 'base64'); // in one step: half of what a Hash object costs
    const known = this.known.get(digest) ?? (await this.lookUp(digest, credential, address));
    if (known.expiresAtMs <= Date.now()) {
      this.known.delete(digest);
      throw new RagError('credentials_invalid', 'The API key or token has expired. Get a new one.');
    }
    return known.caller;
  }

  /** How long a stream may go on before its credential is looked at again. */
  get cacheMs(): number {
    return this.options.cacheMs;
  }

  /** Look again at the next request: the key was changed. */
  forget(keyId: string): void {
    for (const [digest, { caller }] of this.known.entries())
      if (caller.keyId === keyId) this.known.delete(digest);
  }

  private async lookUp(digest: string, credential: string, address: string): Promise<Known> {
    const refusal = this.refusals.get(digest);
    if (refusal) throw refusal;
    const { isEmpty, waitMs } = this.failures.look(address, FAILURES);
    if (isEmpty) {
      throw new RagError(
        'rate_limited',
        'Too many wrong keys or tokens came from this address. Wait, and check the key.',
        {
          retryable: true,
          details: { retry_after_seconds: Math.ceil(waitMs / 1_000) },
        },
      );
    }
    try {
      const { value } = await this.lookups.run(digest, () => this.verify(credential));
      this.known.set(digest, value);
      return value;
    } catch (error) {
      if (isRagError(error) && error.code === 'credentials_invalid') {
        this.failures.takeNow([{ key: address, limit: FAILURES }]);
        this.refusals.set(digest, error);
      }
      throw error;
    }
  }

  private async verify(credential: string): Promise<Known> {
    if (credential.startsWith('rs_')) return this.verifyKey(credential);
    if (this.tokens) return this.verifyToken(credential, this.tokens);
    throw new RagError(
      'credentials_invalid',
      'This is not an API key: those begin with "rs_". Tokens are not set up here.',
    );
  }

  private async verifyKey(credential: string): Promise<Known> {
    const given = parseApiKey(credential);
    const found = given && (await this.keys.find(given.publicId));
    if (!found || !isSecret(given.secret, found.secretSha256)) {
      throw new RagError('credentials_invalid', 'There is no such API key. Check that it was copied whole.');
    }
    // Whoever has the secret may know why it no longer works.
    if (found.revoked)
      throw new RagError('credentials_invalid', 'The API key is revoked. Ask for a new one.');
    const expiresAtMs = found.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
    if (expiresAtMs <= Date.now()) {
      throw new RagError(
        'credentials_invalid',
        'The API key has expired. Ask for a new one, or rotate it in time.',
      );
    }
    this.noteUse(found.tenantId, given.publicId);
    const { tenantId, keyId, userId } = found;
    return { caller: { tenantId, keyId, userId, scopes: new Set(found.scopes) }, expiresAtMs };
  }

  private async verifyToken(credential: string, tokens: TokenVerifier): Promise<Known> {
    const { tenant, userId, scopes: granted, expiresAt } = await tokens.verify(credential);
    const tenantId = tenant === null ? DEFAULT_TENANT : (await this.tenants.find(tenant))?.id;
    if (!tenantId) {
      throw new RagError(
        'credentials_invalid',
        `The token is of a tenant that is not here: ${tenant!.slice(0, 100)}.`,
      );
    }
    return {
      caller: { tenantId, keyId: null, userId, scopes: new Set(granted) },
      expiresAtMs: expiresAt.getTime(),
    };
  }

  /** Beside the request: it neither waits for it nor fails with it. */
  private noteUse(tenantId: string, publicId: string): void {
    if (this.notedUses.has(publicId)) return;
    this.notedUses.set(publicId, true);
    runAsTenant(tenantId, () => this.keys.markUsed(publicId)).catch((error: unknown) => {
      this.notedUses.delete(publicId);
      this.logger.warn('the use of a key was not noted', { publicId, error });
    });
  }
}

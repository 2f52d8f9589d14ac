import { createRemoteJWKSet, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { JwtConfig } from '#libs/config';
import { RagError } from '#libs/errors';
import type { Scope } from '../caller.js';
import { readClaim, readScopes } from './claims.js';

/** What a token says, once its signature, issuer, audience and times were right. */
export interface VerifiedToken {
  /** As the issuer calls it, a name or an id. Null: tokens of this service have no tenants. */
  tenant: string | null;
  userId: string;
  scopes: Scope[];
  /** With the allowed difference of clocks. */
  expiresAt: Date;
}

/** By key, not by what the token says: a public key must never verify an HMAC. */
const ASYMMETRIC = ['RS256', 'ES256'];
const JWKS_TIMEOUT_MS = 3_000;
/** Between two fetches for a key that is not known. */
const JWKS_COOLDOWN_MS = 10_000;
const JWKS_CACHE_MS = 600_000;

/** JSON Web Tokens: HS256 with a shared secret, RS256 and ES256 with the keys that the issuer publishes. */
export class TokenVerifier {
  private readonly secret: Uint8Array | null;
  private readonly keySet: ReturnType<typeof createRemoteJWKSet> | null;

  constructor(private readonly config: JwtConfig) {
    this.secret = config.secret === null ? null : new TextEncoder().encode(config.secret);
    this.keySet =
      config.jwksUrl === null
        ? null
        : createRemoteJWKSet(new URL(config.jwksUrl), {
            timeoutDuration: JWKS_TIMEOUT_MS,
            cooldownDuration: JWKS_COOLDOWN_MS,
            cacheMaxAge: JWKS_CACHE_MS,
          });
  }

  /** @throws {RagError} credentials_invalid; issuer_unavailable (retryable) while its keys can't be fetched */
  async verify(token: string): Promise<VerifiedToken> {
    const claims = await this.readClaims(token);
    const { userClaim, tenantClaim, scopesClaim, scopesPrefix, clockSkewSeconds } = this.config;
    const userId = readClaim(claims, userClaim);
    if (typeof userId !== 'string' || userId === '') throw refused(`it has no user in "${userClaim}"`);
    const tenant = tenantClaim === null ? null : readClaim(claims, tenantClaim);
    if (tenant !== null && (typeof tenant !== 'string' || tenant === '')) {
      throw refused(`it has no tenant in "${tenantClaim}"`);
    }
    const scopes = readScopes(readClaim(claims, scopesClaim), scopesPrefix);
    return { tenant, userId, scopes, expiresAt: new Date((claims.exp! + clockSkewSeconds) * 1_000) };
  }

  private async readClaims(token: string): Promise<JWTPayload> {
    const { issuer, audience, clockSkewSeconds } = this.config;
    const options = { issuer, audience, clockTolerance: clockSkewSeconds, requiredClaims: ['exp'] };
    try {
      const { alg } = decodeProtectedHeader(token);
      if (alg === 'HS256' && this.secret) {
        return (await jwtVerify(token, this.secret, { ...options, algorithms: ['HS256'] })).payload;
      }
      if (ASYMMETRIC.includes(alg ?? '') && this.keySet) {
        return (await jwtVerify(token, this.keySet, { ...options, algorithms: ASYMMETRIC })).payload;
      }
    } catch (cause) {
      throw explain(cause);
    }
    throw refused('its algorithm is not one that this service takes');
  }
}

function explain(cause: unknown): RagError {
  if (cause instanceof errors.JWTExpired) return refused('it has expired', cause);
  if (cause instanceof errors.JWTClaimValidationFailed)
    return refused(`its "${cause.claim}" is not right`, cause);
  if (cause instanceof errors.JWKSNoMatchingKey) return refused('its issuer has no such key', cause);
  if (isOfToken(cause)) return refused('it is damaged, or not signed by a known key', cause);
  return new RagError(
    'issuer_unavailable',
    'The keys of the token issuer can not be read at the moment (JWT_JWKS_URL). Try again.',
    { cause, retryable: true },
  );
}

/** What is left went wrong on the way to the issuer's keys: those failures of jose have no code of their own. */
function isOfToken(cause: unknown): boolean {
  if (cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid) return false;
  if (cause instanceof errors.JOSEError) return cause.code !== 'ERR_JOSE_GENERIC';
  return cause instanceof TypeError && cause.message.includes('Token');
}

function refused(why: string, cause?: unknown): RagError {
  return new RagError('credentials_invalid', `The token is not accepted: ${why}.`, { cause });
}

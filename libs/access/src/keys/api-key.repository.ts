import { randomUUID } from 'node:crypto';
import type { Database, SqlExecutor } from '#libs/database';
import { RagError } from '#libs/errors';
import type { Scope } from '../caller.js';

export interface NewApiKey {
  name: string;
  scopes: readonly Scope[];
  /** Null: whoever holds it says for whom it asks. */
  userId: string | null;
  expiresAt: Date | null;
}

export interface ApiKey extends NewApiKey {
  id: string;
  createdAt: Date;
  revokedAt: Date | null;
  /** Newest first; more than one while a secret is being replaced. */
  secrets: { publicId: string; expiresAt: Date | null; lastUsedAt: Date | null; createdAt: Date }[];
}

export interface StoredSecret {
  publicId: string;
  secretSha256: Buffer;
}

/** What a request's key is checked against, of whichever tenant. */
export interface FoundApiKey {
  keyId: string;
  tenantId: string;
  scopes: Scope[];
  userId: string | null;
  secretSha256: Buffer;
  expiresAt: Date | null;
  revoked: boolean;
}

interface KeyRow {
  id: string;
  name: string;
  scopes: Scope[];
  userId: string | null;
  expiresAt: Date | null;
  revokedAt: Date | null;
  createdAt: Date;
  publicId: string;
  secretExpiresAt: Date | null;
  lastUsedAt: Date | null;
  secretCreatedAt: Date;
}

/** API keys and their secrets, which are kept as hashes. */
export class ApiKeyRepository {
  constructor(private readonly database: Database) {}

  /** Before the tenant is known. Null: there is no such key. */
  async find(publicId: string): Promise<FoundApiKey | null> {
    const [row] = await this.database.query<FoundApiKey>({
      name: 'find_api_key',
      text: `
        select key_id as "keyId", tenant_id as "tenantId", scopes, user_id as "userId", secret_sha256 as "secretSha256",
          expires_at as "expiresAt", revoked
        from find_api_key($1::text)`,
      values: [publicId],
    });
    return row ?? null;
  }

  /** At most once a minute for each secret, whichever processes ask. */
  async markUsed(publicId: string): Promise<void> {
    await this.database.query({
      text: `
        update api_key_secrets set last_used_at = now()
        where public_id = $1::text and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
      values: [publicId],
    });
  }

  async create(key: NewApiKey, secret: StoredSecret): Promise<ApiKey> {
    const id = randomUUID();
    await this.database.transaction(async (tx) => {
      await tx.query({
        text: `
          insert into api_keys (id, name, scopes, user_id, expires_at)
          values ($1::uuid, $2::text, $3::text[], $4::text, $5::timestamptz)`,
        values: [id, key.name, key.scopes, key.userId, key.expiresAt],
      });
      await this.addSecret(tx, id, secret);
    });
    return this.get(id);
  }

  /** Another secret for the key; its others end after the overlap, or when they would have anyway. */
  async rotate(id: string, secret: StoredSecret, overlapSeconds: number): Promise<ApiKey> {
    await this.database.transaction(async (tx) => {
      const [key] = await tx.query({
        text: 'select id from api_keys where id = $1::uuid and revoked_at is null for update',
        values: [id],
      });
      if (!key) throw noKey(id);
      await tx.query({
        text: `
          update api_key_secrets
          set expires_at = least(expires_at, now() + make_interval(secs => $2::double precision))
          where key_id = $1::uuid`,
        values: [id, overlapSeconds],
      });
      await this.addSecret(tx, id, secret);
    });
    return this.get(id);
  }

  /** All its secrets end now. Safe to repeat. */
  async revoke(id: string): Promise<void> {
    const [key] = await this.database.query({
      text: `update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1::uuid returning id`,
      values: [id],
    });
    if (!key) throw noKey(id);
  }

  /** Newest first, revoked and expired ones too. */
  async list(): Promise<ApiKey[]> {
    return this.read(null);
  }

  async get(id: string): Promise<ApiKey> {
    const [key] = await this.read(id);
    if (!key) throw noKey(id);
    return key;
  }

  private async read(id: string | null): Promise<ApiKey[]> {
    const rows = await this.database.query<KeyRow>({
      text: `
        select k.id, k.name, k.scopes, k.user_id as "userId", k.expires_at as "expiresAt", k.revoked_at as "revokedAt",
          k.created_at as "createdAt", s.public_id as "publicId", s.expires_at as "secretExpiresAt",
          s.last_used_at as "lastUsedAt", s.created_at as "secretCreatedAt"
        from api_keys k join api_key_secrets s on s.key_id = k.id
        where $1::uuid is null or k.id = $1::uuid
        order by k.created_at desc, k.id, s.created_at desc`,
      values: [id],
    });
    const byKey = Map.groupBy(rows, (row) => row.id);
    return [...byKey.values()].map((ofKey) => {
      const { publicId: _, secretExpiresAt: _e, lastUsedAt: _u, secretCreatedAt: _c, ...key } = ofKey[0]!;
      return {
        ...key,
        secrets: ofKey.map((row) => ({
          publicId: row.publicId,
          expiresAt: row.secretExpiresAt,
          lastUsedAt: row.lastUsedAt,
          createdAt: row.secretCreatedAt,
        })),
      };
    });
  }

  private async addSecret(tx: SqlExecutor, keyId: string, secret: StoredSecret): Promise<void> {
    await tx.query({
      text: `
        insert into api_key_secrets (public_id, key_id, secret_sha256)
        values ($1::text, $2::uuid, $3::bytea)`,
      values: [secret.publicId, keyId, secret.secretSha256],
    });
  }
}

function noKey(id: string): RagError {
  return new RagError('key_not_found', `There is no API key ${id}, or it is revoked. GET /keys lists them.`);
}

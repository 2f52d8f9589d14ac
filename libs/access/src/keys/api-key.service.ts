import { hashSecret, newApiKeyToken, writeApiKey } from './api-key-token.js';
import type { ApiKey, ApiKeyRepository, NewApiKey } from './api-key.repository.js';

/** A key as it is told once, to whoever made it. */
export interface IssuedApiKey {
  key: ApiKey;
  /** rs_<public>_<secret>, kept nowhere. */
  token: string;
}

/** Makes and ends API keys of the current tenant. */
export class ApiKeyService {
  constructor(
    private readonly keys: ApiKeyRepository,
    /** Told at once, so that at least this process refuses the key from now on. */
    private readonly onChange: (keyId: string) => void = () => undefined,
  ) {}

  async create(key: NewApiKey): Promise<IssuedApiKey> {
    const token = newApiKeyToken();
    const { publicId, secret } = token;
    const created = await this.keys.create(key, { publicId, secretSha256: hashSecret(secret) });
    return { key: created, token: writeApiKey(token) };
  }

  /**
   * A new secret; the old one goes on for `overlapSeconds`, so that clients can be changed without a gap. The key keeps
   * its id, scopes and budgets. @throws {RagError} key_not_found
   */
  async rotate(id: string, overlapSeconds: number): Promise<IssuedApiKey> {
    const token = newApiKeyToken();
    const { publicId, secret } = token;
    const key = await this.keys.rotate(id, { publicId, secretSha256: hashSecret(secret) }, overlapSeconds);
    this.onChange(id);
    return { key, token: writeApiKey(token) };
  }

  /** @throws {RagError} key_not_found */
  async revoke(id: string): Promise<void> {
    await this.keys.revoke(id);
    this.onChange(id);
  }

  list(): Promise<ApiKey[]> {
    return this.keys.list();
  }
}

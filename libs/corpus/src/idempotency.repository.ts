import type { Database, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';

/** What was answered to a request with an Idempotency-Key, kept for a day. */
export class IdempotencyRepository {
  constructor(private readonly database: Database) {}

  /**
   * The first with a key does the work, in this transaction; the others wait for it and get its answer.
   * @param requestSha256 of all that the request asks for
   * @returns the answer to the same request before; null for the first
   * @throws {RagError} idempotency_key_reused when the key came with another request
   */
  async claim(tx: Transaction, key: string, requestSha256: Buffer): Promise<unknown> {
    const [claimed] = await tx.query({
      text: `
        insert into idempotency_keys (key, request_sha256, response) values ($1::text, $2::bytea, 'null')
        on conflict do nothing returning key`,
      values: [key, requestSha256],
    });
    if (claimed) return null;
    const [known] = await tx.query<{ same: boolean; response: unknown }>({
      text: 'select request_sha256 = $2::bytea as same, response from idempotency_keys where key = $1::text',
      values: [key, requestSha256],
    });
    if (known?.same) return known.response;
    throw new RagError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request before. Use a new key for each request, and the same one only to send it again.',
    );
  }

  async remember(tx: Transaction, key: string, response: object): Promise<void> {
    await tx.query({
      text: 'update idempotency_keys set response = $2::jsonb where key = $1::text',
      values: [key, JSON.stringify(response)],
    });
  }

  async dropExpired(): Promise<void> {
    await this.database.query({
      text: `delete from idempotency_keys where created_at < now() - interval '1 day'`,
    });
  }
}

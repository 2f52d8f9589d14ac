import { createHash } from 'node:crypto';
import type { Database, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';

/** What was answered to a request with an Idempotency-Key, kept for a day. */
export class IdempotencyRepository {
  constructor(private readonly database: Database) {}

  /**
   * The first request with a key does the work, in this transaction; the same request again waits for it and gets its
   * answer, even after a crash between the commit and the answer.
   * @param key null: the work is done
   * @param asked all that the request asks for, as JSON
   * @throws {RagError} idempotency_key_reused when the key came with another request
   */
  async once<Answer extends object>(
    tx: Transaction,
    key: string | null,
    asked: unknown,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    if (key === null) return work();
    const requestSha256 = createHash('sha256').update(JSON.stringify(asked)).digest();
    const [claimed] = await tx.query({
      text: `
        insert into idempotency_keys (key, request_sha256, response) values ($1::text, $2::bytea, 'null')
        on conflict do nothing returning key`,
      values: [key, requestSha256],
    });
    if (!claimed) return this.answerBefore<Answer>(tx, key, requestSha256);
    const answer = await work();
    await tx.query({
      text: 'update idempotency_keys set response = $2::jsonb where key = $1::text',
      values: [key, JSON.stringify(answer)],
    });
    return answer;
  }

  async dropExpired(): Promise<void> {
    await this.database.query({
      text: `delete from idempotency_keys where created_at < now() - interval '1 day'`,
    });
  }

  private async answerBefore<Answer>(tx: Transaction, key: string, requestSha256: Buffer): Promise<Answer> {
    const [known] = await tx.query<{ same: boolean; response: Answer }>({
      text: 'select request_sha256 = $2::bytea as same, response from idempotency_keys where key = $1::text',
      values: [key, requestSha256],
    });
    if (known?.same) return known.response;
    throw new RagError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request before. Use a new key for each request, and the same one only to send it again.',
    );
  }
}

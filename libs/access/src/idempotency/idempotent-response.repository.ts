import { randomUUID } from 'node:crypto';
import type { Database } from '#libs/database';
import { RagError } from '#libs/errors';

export interface SavedResponse {
  status: number;
  contentType: string | null;
  body: string;
}

export interface IdempotentRequest {
  /** Keys of two callers don't meet. */
  caller: string;
  key: string;
  /** Of method, path and body. */
  sha256: Buffer;
  /** How long the work may take; afterwards its process is taken for dead. */
  claimMs: number;
}

/** Either the work is yours, or somebody did it before. */
export type Claim = { id: string } | { saved: SavedResponse };

interface StateRow {
  same: boolean;
  status: number | null;
  contentType: string | null;
  body: string | null;
}

/** What was answered to requests with an Idempotency-Key, for a day. */
export class IdempotentResponseRepository {
  constructor(private readonly database: Database) {}

  /**
   * @throws {RagError} idempotency_in_flight (retryable) while the first request is at work; idempotency_key_reused when
   * the key came with another request
   */
  async claim({ caller, key, sha256, claimMs }: IdempotentRequest): Promise<Claim> {
    const id = randomUUID();
    const values = [caller, key, sha256, id, claimMs];
    // A claim whose process died, or a row of yesterday, is taken over: by one request, since it locks the row.
    const [claimed] = await this.database.query({
      text: `
        insert into idempotent_responses as known (caller, key, request_sha256, claim, claimed_until)
        values ($1::text, $2::text, $3::bytea, $4::uuid, now() + $5::double precision * interval '1 millisecond')
        on conflict (tenant_id, caller, key) do update
          set request_sha256 = excluded.request_sha256, claim = excluded.claim, claimed_until = excluded.claimed_until,
            status = null, content_type = null, body = null, created_at = now()
          where known.created_at < now() - interval '1 day'
            or (known.status is null and known.claimed_until < now() and known.request_sha256 = excluded.request_sha256)
        returning key`,
      values,
    });
    return claimed ? { id } : this.readClaimed(caller, key, sha256);
  }

  /** @returns false when the claim was lost meanwhile */
  async save(claimId: string, { status, contentType, body }: SavedResponse): Promise<boolean> {
    const saved = await this.database.query({
      text: `
        update idempotent_responses set status = $2::integer, content_type = $3::text, body = $4::text
        where claim = $1::uuid and status is null
        returning key`,
      values: [claimId, status, contentType, body],
    });
    return saved.length > 0;
  }

  /** The request failed, or its answer is not one to keep: the same key may try again. */
  async release(claimId: string): Promise<void> {
    await this.database.query({
      text: 'delete from idempotent_responses where claim = $1::uuid and status is null',
      values: [claimId],
    });
  }

  async dropExpired(): Promise<void> {
    await this.database.query({
      text: `delete from idempotent_responses where created_at < now() - interval '1 day'`,
    });
  }

  private async readClaimed(caller: string, key: string, sha256: Buffer): Promise<Claim> {
    const [known] = await this.database.query<StateRow>({
      text: `
        select request_sha256 = $3::bytea as same, status, content_type as "contentType", body
        from idempotent_responses where caller = $1::text and key = $2::text`,
      values: [caller, key, sha256],
    });
    if (known && !known.same) {
      throw new RagError(
        'idempotency_key_reused',
        'This Idempotency-Key came with another request before. Use a new key for each request, and the same one only to send it again.',
      );
    }
    if (known?.status && known.body !== null) {
      const { status, contentType, body } = known;
      return { saved: { status, contentType, body } };
    }
    throw new RagError(
      'idempotency_in_flight',
      'The first request with this Idempotency-Key is still at work. Send it again in a moment for its answer.',
      { retryable: true, details: { retry_after_seconds: 1 } },
    );
  }
}

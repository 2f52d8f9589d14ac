import type { RagError } from '#libs/errors';
import type { AcceptedDocument } from './indexing.service.js';

const LISTED_MAX = 1_000;

interface DocumentName {
  /** Place in the request. */
  number?: number;
  externalId: string | null;
}

/** Documents of a parent that need no job, each with the reason. */
export class SkippedDocuments {
  private count = 0;
  private readonly listed: object[] = [];

  get summary(): { skipped: number; details: object } {
    return { skipped: this.count, details: this.count > 0 ? { skipped: this.listed } : {} };
  }

  note(name: DocumentName, accepted: AcceptedDocument): void {
    if (accepted.status === 'queued') return;
    const { status: reason, documentId, duplicateOf } = accepted;
    this.add(name, { reason, document_id: documentId, ...(duplicateOf && { duplicate_of: duplicateOf }) });
  }

  refuse(name: DocumentName, { code, message }: Pick<RagError, 'code' | 'message'>): void {
    this.add(name, { reason: 'refused', code, message });
  }

  private add({ number, externalId }: DocumentName, why: object): void {
    this.count += 1;
    if (this.listed.length >= LISTED_MAX) return;
    this.listed.push({ ...(number !== undefined && { number }), external_id: externalId, ...why });
  }
}

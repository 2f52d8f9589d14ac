import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultyDocument } from './faulty-documents.js';
import type { FaultyService } from './faulty-service.js';
import type { History } from './history.js';
import type { Random } from './random.js';

/** Enough to keep workers busy, few enough that a change is seen while its document is young. */
const OPEN_JOBS_MAX = 30;

interface Followed {
  document: FaultyDocument;
  revision: number;
}

/** Clients that write and search without a pause; everything they do and see is in the history. */
export class BusyClients {
  /** The last revision that was submitted; null: deleted. */
  readonly revisions = new Map<FaultyDocument, number | null>();
  private readonly nextRevision = new Map<FaultyDocument, number>();
  private readonly writing = new Set<FaultyDocument>();
  private readonly documentIds = new Map<FaultyDocument, string>();
  private readonly followed = new Map<string, Followed>();
  private isStopping = false;
  private running: Promise<void>[] = [];

  constructor(
    private readonly service: Pick<FaultyService, 'client' | 'database' | 'find' | 'submit'>,
    private readonly history: History,
    private readonly random: Random,
    private readonly documents: readonly FaultyDocument[],
    private readonly collection: string,
  ) {}

  start(writers: number, searchers: number): void {
    this.running = [
      ...Array.from({ length: writers }, () => this.repeat(50, () => this.write())),
      ...Array.from({ length: searchers }, () =>
        this.repeat(100, () => this.search(this.random.pick(this.documents))),
      ),
      this.repeat(200, () => this.noteReady()),
    ];
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
  }

  /** Once nothing is in work any more. */
  async noteFinalState(): Promise<void> {
    for (const document of this.documents) {
      const end = this.history.invoke({ kind: 'final', document: document.externalId });
      end('ok', await this.find(document));
    }
  }

  private async repeat(pauseMs: number, step: () => Promise<void>): Promise<void> {
    while (!this.isStopping) {
      await step();
      await sleep(pauseMs);
    }
  }

  private async write(): Promise<void> {
    const document = this.random.pick(this.documents);
    if (this.writing.has(document) || this.followed.size >= OPEN_JOBS_MAX) return;
    this.writing.add(document);
    try {
      if (this.revisions.get(document) != null && this.random.next() < 0.15) await this.delete(document);
      else await this.submit(document);
    } finally {
      this.writing.delete(document);
    }
  }

  private async submit(document: FaultyDocument): Promise<void> {
    const revision = this.nextRevision.get(document) ?? 0;
    this.nextRevision.set(document, revision + 1);
    const end = this.history.invoke({ kind: 'submit', document: document.externalId, revision });
    const accepted = await this.service.submit(this.collection, document, revision);
    end('ok');
    this.revisions.set(document, revision);
    this.documentIds.set(document, accepted.document_id);
    this.followed.set(accepted.job_id, { document, revision });
  }

  private async delete(document: FaultyDocument): Promise<void> {
    const end = this.history.invoke({ kind: 'delete', document: document.externalId });
    const status = await this.service.client.delete(`/documents/${this.documentIds.get(document)}`);
    if (status !== 204) throw new Error(`not deleted: ${status}`);
    end('ok');
    this.revisions.set(document, null);
  }

  private async search(document: FaultyDocument): Promise<void> {
    const end = this.history.invoke({ kind: 'search', document: document.externalId });
    end('ok', await this.find(document));
  }

  private find(document: FaultyDocument): Promise<number[]> {
    return this.service.find(this.collection, document, this.random.pick(['hybrid', 'lexical']));
  }

  private async noteReady(): Promise<void> {
    const ids = [...this.followed.keys()];
    const ends = new Map(
      ids.map((id) => {
        const { document, revision } = this.followed.get(id)!;
        return [id, this.history.invoke({ kind: 'ready', document: document.externalId, revision })];
      }),
    );
    const rows = await this.service.database.query<{ id: string; status: string }>({
      text: 'select id, status from index_jobs where id = any($1::uuid[])',
      values: [ids],
    });
    const status = new Map(rows.map((row) => [row.id, row.status]));
    for (const id of ids) {
      ends.get(id)!(status.get(id) === 'ready' ? 'ok' : 'fail');
      if (!['queued', 'running'].includes(status.get(id) ?? 'deleted')) this.followed.delete(id);
    }
  }
}

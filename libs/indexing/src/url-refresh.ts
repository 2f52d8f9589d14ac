import { Logger } from '@nestjs/common';
import type { TenantRepository } from '#libs/corpus';
import { runAsTenant } from '#libs/database';
import type { UrlDocumentService } from './url-document.service.js';

const INTERVAL_MS = 30_000;

/** Looks for documents by URL whose time to be fetched again has come. Any number of workers may do so. */
export class UrlRefresh {
  private readonly logger = new Logger(UrlRefresh.name);
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> = Promise.resolve();

  constructor(
    private readonly tenants: TenantRepository,
    private readonly documents: UrlDocumentService,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.checking = this.check().catch((error: unknown) =>
        this.logger.error('documents by URL not refreshed', error),
      );
    }, INTERVAL_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.checking;
  }

  async check(): Promise<void> {
    for (const { id } of await this.tenants.list()) await runAsTenant(id, () => this.documents.refreshDue());
  }
}

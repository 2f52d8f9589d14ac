import { LRUCache } from 'lru-cache';
import { DEFAULT_TENANT } from '#libs/database';
import { type CollectionService, DEFAULT_COLLECTION } from '#libs/indexing';

const TENANTS_MAX = 10_000;

/** Gives each tenant the collection "default" with its first request, as the service has it from its start. */
export class TenantStart {
  private readonly started = new LRUCache<string, Promise<unknown>>({ max: TENANTS_MAX });

  constructor(private readonly collections: CollectionService) {}

  /** As that tenant. Once for each in this process; a failure is tried again by the next request. */
  async ensure(tenantId: string): Promise<void> {
    if (tenantId === DEFAULT_TENANT) return;
    const known = this.started.get(tenantId);
    if (known) {
      await known;
      return;
    }
    const making = this.collections.ensure({ name: DEFAULT_COLLECTION, language: 'english' });
    this.started.set(tenantId, making);
    try {
      await making;
    } catch (error) {
      this.started.delete(tenantId);
      throw error;
    }
  }
}

import { DEFAULT_COLLECTION } from './collection.service.js';
import type { IndexingService } from './indexing.service.js';
import type { Repositories } from './repositories.js';
import type { RootFolder } from './root-folder.js';
import { watchedExternalId, WatchedDocuments } from './watch/index.js';

const IDS_PER_PAGE = 1_000;

/** A watched folder's files as documents of the default collection. */
export class IndexedFolder extends WatchedDocuments {
  constructor(
    private readonly repositories: Pick<Repositories, 'collections' | 'documents'>,
    private readonly indexing: IndexingService,
    private readonly folder: RootFolder,
    private readonly bytesMax: number,
  ) {
    super();
  }

  async *list(): AsyncGenerator<{ externalId: string }> {
    const { id: collectionId } = await this.repositories.collections.get(DEFAULT_COLLECTION);
    let after: string | null = null;
    for (;;) {
      const page = { collectionId, prefix: watchedExternalId(''), after, limit: IDS_PER_PAGE };
      const ids: string[] = await this.repositories.documents.listExternalIds(page);
      for (const externalId of ids) yield { externalId };
      if (ids.length < IDS_PER_PAGE) return;
      after = ids.at(-1)!;
    }
  }

  async submit({ path, externalId }: { path: string; externalId: string }): Promise<void> {
    const { bytes } = await this.folder.read(path, this.bytesMax);
    await this.indexing.submit({
      source: {
        kind: 'upload',
        bytes,
        filename: externalId.slice(watchedExternalId('').length),
        declaredMediaType: null,
      },
      collection: DEFAULT_COLLECTION,
      title: null,
      externalId,
      metadata: {},
    });
  }

  async remove(externalId: string): Promise<void> {
    const { id } = await this.repositories.collections.get(DEFAULT_COLLECTION);
    await this.repositories.documents.deleteByExternalId(id, externalId);
  }
}

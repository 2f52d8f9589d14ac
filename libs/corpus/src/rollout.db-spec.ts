import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { ChunkRepository, CollectionRepository, EmbeddingSpaceRepository } from './index.js';

describeOnEachEngine('while code of before 0002_tenants runs beside this one', (open) => {
  it('what it stores, as the owner and without a tenant, is found here, filters included', async () => {
    const spaces = new EmbeddingSpaceRepository(open());
    const space = await spaces.findOrCreate({ provider: 'test', model: 'four', dimensions: 4 });
    const { collection } = await new CollectionRepository(open(), 'bm25').findOrCreate({
      name: `c-${randomUUID()}`,
      language: 'english',
      chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
      embeddingSpaceId: space.id,
    });
    const [documentId, versionId, chunkId] = [randomUUID(), randomUUID(), randomUUID()];
    await open().maintain((session) =>
      session.query({
        text: `
          insert into documents (id, collection_id, external_id, title, media_type, metadata, current_version)
          values ('${documentId}', '${collection.id}', 'old', 'Old', 'text/plain', '{"lang": "en"}', 1);
          insert into document_versions (id, document_id, version, media_type, content_sha256, byte_count, status)
          values ('${versionId}', '${documentId}', 1, 'text/plain', '', 0, 'ready');
          insert into chunks (id, collection_id, document_id, version_id, language, ordinal, body, heading_path,
            char_start, char_end, token_count, body_sha256, lexical_text)
          values ('${chunkId}', '${collection.id}', '${documentId}', '${versionId}', 'english', 0, 'lantern', '{}',
            0, 7, 1, '', 'lantern');
          insert into chunk_embeddings_${space.number} (space_id, collection_id, chunk_id, embedding)
          values ('${space.id}', '${collection.id}', '${chunkId}', '[1,0,0,0]')`,
      }),
    );
    const chunks = new ChunkRepository(open(), 'bm25');
    const scope = { collectionId: collection.id, filter: { lang: 'en' } };
    const embedding = Float32Array.from([1, 0, 0, 0]);
    const near = await chunks.findNearest({ scope, space, embedding, limit: 5, method: 'exact' });
    expect(near.map(({ id }) => id)).toEqual([chunkId]);
    const lexical = await chunks.findLexical({ scope, language: 'english', text: 'lantern', limit: 5 });
    expect(lexical.map(({ id }) => id)).toEqual([chunkId]);
  });
});

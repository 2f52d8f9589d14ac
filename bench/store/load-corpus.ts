import { halfvecArray, type Database } from '#libs/database';
import type { Collection, EmbeddingSpace } from '#libs/corpus';
import { chunkId, CHUNKS_PER_DOCUMENT, type Corpus, documentId, documentOf, versionId } from './corpus.js';
import { WORDS_PER_CHUNK } from './synthetic-texts.js';

const BATCH = 1_000;

/** Stores the first `size` chunks as indexing does, 1000 a transaction. @returns seconds, without making the texts */
export async function loadCorpus(
  database: Database,
  corpus: Corpus,
  size: number,
  collection: Collection,
  space: EmbeddingSpace,
): Promise<number> {
  const [type] = await database.query<{ oid: number }>({ text: `select 'halfvec'::regtype::oid as oid` });
  let elapsedMs = 0;
  for (let first = 0; first < size; first += BATCH) {
    const chunks = Array.from({ length: BATCH }, (_, index) => first + index);
    const texts = chunks.map((chunk) => corpus.text(chunk));
    const embeddings = chunks.map((chunk) => corpus.embedding(chunk));
    const start = performance.now();
    await database.transaction(async (tx) => {
      const documents = [...new Set(chunks.map(documentOf))];
      const metadata = documents.map((document) =>
        JSON.stringify(corpus.metadata(document, size / CHUNKS_PER_DOCUMENT)),
      );
      await tx.query({
        name: 'bench_documents',
        text: `
          insert into documents (id, collection_id, external_id, title, media_type, metadata, current_version)
          select id, $1::uuid, id::text, 'Document ' || id, 'text/plain', metadata, 1
          from unnest($2::uuid[], $3::jsonb[]) as d (id, metadata)`,
        values: [collection.id, documents.map(documentId), metadata],
      });
      await tx.query({
        name: 'bench_versions',
        text: `
          insert into document_versions (id, document_id, version, title, media_type, content_sha256, byte_count, status, ready_at)
          select id, document_id, 1, 'Document', 'text/plain', sha256(id::text::bytea), 4000, 'ready', now()
          from unnest($1::uuid[], $2::uuid[]) as v (id, document_id)`,
        values: [documents.map(versionId), documents.map(documentId)],
      });
      await tx.query({
        name: 'bench_chunks',
        text: `
          insert into chunks (id, collection_id, document_id, version_id, language, ordinal, body, heading_path,
            char_start, char_end, token_count, body_sha256, lexical_text)
          select id, $1::uuid, document_id, version_id, $2::text, ordinal, body, '{}', ordinal * 400,
            ordinal * 400 + length(body), $3::integer, sha256(body::bytea), body
          from unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::integer[], $8::text[])
            as c (id, document_id, version_id, ordinal, body)`,
        values: [
          collection.id,
          collection.language,
          WORDS_PER_CHUNK,
          chunks.map(chunkId),
          chunks.map((chunk) => documentId(documentOf(chunk))),
          chunks.map((chunk) => versionId(documentOf(chunk))),
          chunks.map((chunk) => chunk % CHUNKS_PER_DOCUMENT),
          texts,
        ],
      });
      await tx.query({
        name: 'bench_embeddings',
        text: `
          insert into chunk_embeddings_${space.number} (space_id, collection_id, document_id, chunk_id, embedding)
          select $1::uuid, $2::uuid, document_id, chunk_id, embedding
          from unnest($3::uuid[], $4::uuid[], $5::halfvec[]) as e (document_id, chunk_id, embedding)`,
        values: [
          space.id,
          collection.id,
          chunks.map((chunk) => documentId(documentOf(chunk))),
          chunks.map(chunkId),
          halfvecArray(embeddings, type!.oid),
        ],
      });
    });
    elapsedMs += performance.now() - start;
  }
  return elapsedMs / 1_000;
}

import type { ChunkRepository, CollectionRepository, LexicalEngine } from '#libs/corpus';
import { type Database, listPending } from '#libs/database';
import { degraded, failed, type HealthCheck, ok } from '../health-check.js';

export function databaseCheck(database: Database): HealthCheck {
  return {
    name: 'database',
    run: async () => {
      await database.withoutTenant.query({ text: 'select 1 as one' });
      const { inUse, waiting, max } = database.poolUse;
      return ok(`${database.engine}, ${inUse} of ${max} connections in use, ${waiting} waiting`);
    },
  };
}

export function extensionsCheck(database: Database, lexicalEngine: LexicalEngine): HealthCheck {
  return {
    name: 'extensions',
    run: async () => {
      const rows = await database.withoutTenant.query<{ name: string; version: string }>({
        text: `select extname as name, extversion as version from pg_extension where extname in ('vector', 'pg_textsearch') order by 1`,
      });
      if (!rows.some(({ name }) => name === 'vector'))
        return failed('pgvector is gone: create extension vector');
      const versions = rows.map(({ name, version }) => `${name} ${version}`).join(', ');
      return lexicalEngine === 'bm25'
        ? ok(versions)
        : degraded(`${versions}; without pg_textsearch words are ranked by ts_rank`);
    },
  };
}

export function migrationsCheck(database: Database): HealthCheck {
  return {
    name: 'migrations',
    run: async () => {
      const pending = await listPending(database);
      return pending.length === 0
        ? ok('current')
        : failed(`not applied: ${pending.join(', ')}: ragstone migrate`);
    },
  };
}

/** The real thing, in the default collection: its space, its index if it has one. */
export function vectorSearchCheck(
  collections: Pick<CollectionRepository, 'getWithSpace'>,
  chunks: Pick<ChunkRepository, 'findNearest'>,
): HealthCheck {
  return {
    name: 'vector_search',
    run: async () => {
      const { collection, space } = await collections.getWithSpace('default');
      const embedding = new Float32Array(space.dimensions);
      embedding[0] = 1;
      const method = space.isIndexed ? 'hnsw' : 'exact';
      const scope = { collectionId: collection.id };
      const found = await chunks.findNearest({ scope, space, embedding, limit: 1, method });
      return ok(`${method}, ${found.length === 0 ? 'nothing is indexed' : 'found a chunk'}`);
    },
  };
}

import { currentTenant, type Database, runAsTenant } from '#libs/database';

/** What ranks by words: BM25 of pg_textsearch, or PostgreSQL's own ts_rank where the server can't have it. */
export type LexicalEngine = 'bm25' | 'ts_rank';

/**
 * The BM25 index of a text-search configuration. The name goes into SQL text, so anything but a plain
 * configuration name is refused.
 */
export function lexicalIndexOf(language: string): string {
  if (!/^[a-z_]{1,40}$/.test(language)) throw new Error(`not a text-search configuration name: ${language}`);
  return `chunks_bm25_${language}`;
}

/** A tsquery that matches a text with any of the words; null when nothing but stop words is left. */
export function anyWord(language: string, text: string): string {
  lexicalIndexOf(language);
  return `(
    select string_agg('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''', ' | ')::tsquery
    from unnest(tsvector_to_array(to_tsvector('${language}', ${text}))) lexeme
  )`;
}

/** Which engine the server has, its indexes made where they are missing (the extension may have come later). */
export async function prepareLexicalEngine(database: Database): Promise<LexicalEngine> {
  const [row] = await database.query<{ bm25: boolean }>({
    text: `select exists (select from pg_extension where extname = 'pg_textsearch') as bm25`,
  });
  const engine = row!.bm25 ? 'bm25' : 'ts_rank';
  for (const language of await languagesOf(database)) await ensureLexicalIndex(database, engine, language);
  return engine;
}

/** The index that searches this language, made when it is missing. */
export async function ensureLexicalIndex(
  database: Database,
  engine: LexicalEngine,
  language: string,
): Promise<void> {
  const index = engine === 'bm25' ? lexicalIndexOf(language) : 'chunks_lexical_vector';
  const [known] = await database.query({
    text: `select 1 from pg_class where relname = $1::text and relkind = 'i'`,
    values: [index],
  });
  if (known) return;
  const definition =
    engine === 'bm25'
      ? `using bm25 (lexical_text) with (text_config = '${language}') where language = '${language}'`
      : 'using gin (lexical_vector)';
  await database.ownerTransaction(async (tx) => {
    if (engine === 'ts_rank') await tx.query({ text: fillLexicalVectors });
    await tx.query({ text: `create index if not exists ${index} on chunks ${definition}` });
  });
}

/** Chunks that were stored while there was BM25. */
const fillLexicalVectors = `
  update chunks set lexical_vector = to_tsvector(language::regconfig, lexical_text) where lexical_vector is null`;

async function languagesOf(database: Database): Promise<Set<string>> {
  const tenants = await database.query<{ tenant_id: string }>({ text: 'select tenant_id from tenants' });
  const languages = new Set<string>();
  for (const tenantId of new Set([currentTenant(), ...tenants.map((row) => row.tenant_id)])) {
    const rows = await runAsTenant(tenantId, () =>
      database.query<{ language: string }>({ text: 'select distinct language from collections' }),
    );
    for (const { language } of rows) languages.add(language);
  }
  return languages;
}

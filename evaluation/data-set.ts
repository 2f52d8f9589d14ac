import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Relevance } from './metrics.js';

export interface EvaluationDocument {
  id: string;
  title: string;
  text: string;
}

export interface EvaluationQuery {
  id: string;
  text: string;
  relevance: Relevance;
}

export interface DataSet {
  name: string;
  documents: EvaluationDocument[];
  /** Only queries with a relevant document. */
  queries: EvaluationQuery[];
}

/**
 * Reads a folder of `corpus.jsonl` {id, title, text}, `queries.jsonl` {id, text} and `qrels.tsv`
 * (query, document, relevance; tab-separated, no header).
 */
export async function readDataSet(folder: string): Promise<DataSet> {
  const documents = await readJsonLines<EvaluationDocument>(join(folder, 'corpus.jsonl'));
  const questions = await readJsonLines<{ id: string; text: string }>(join(folder, 'queries.jsonl'));
  const relevance = new Map<string, Map<string, number>>();
  for (const line of (await readFile(join(folder, 'qrels.tsv'), 'utf8')).split('\n')) {
    const [query, document, value] = line.trim().split('\t');
    if (!query || !document) continue;
    const judged = relevance.get(query) ?? new Map<string, number>();
    relevance.set(query, judged.set(document, Number(value)));
  }
  const queries = questions.flatMap(({ id, text }) => {
    const judged = relevance.get(id);
    return judged ? [{ id, text, relevance: judged }] : [];
  });
  return { name: basename(folder), documents, queries };
}

async function readJsonLines<Row>(file: string): Promise<Row[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** At most `max` of the items, evenly spread. */
export function spread<Item>(items: readonly Item[], max: number): Item[] {
  const step = Math.max(1, items.length / max);
  return Array.from({ length: Math.min(max, items.length) }, (_, index) => items[Math.floor(index * step)]!);
}

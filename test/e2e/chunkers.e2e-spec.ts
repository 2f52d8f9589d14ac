import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerView, ChunkView, RagstoneClient } from '../support/ragstone-client.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

/** Paragraphs whose sentences each name a number of their own. */
function manual(): string {
  const paragraph = (topic: string, first: number) =>
    Array.from(
      { length: 12 },
      (_, index) =>
        `The ${topic} has setting number ${first + index}, which an operator sets with care on every day.`,
    ).join(' ');
  return `# Manual\n\n## Valves\n\n${paragraph('valve', 100)}\n\n## Pumps\n\n${paragraph('pump', 200)}`;
}

interface Search {
  sources: AnswerView['sources'];
}

const words = (text: string) => text.split(/\s+/);

async function search(
  client: RagstoneClient,
  collection: string,
  question: string,
): Promise<Search['sources']> {
  const { body } = await client.post<Search>('/search', { question, collection, top_k: 1 });
  return body.sources;
}

async function chunksOf(client: RagstoneClient, documentId: string): Promise<ChunkView[]> {
  const { body } = await client.get<{ chunks: ChunkView[] }>(`/documents/${documentId}/chunks?limit=200`);
  return body.chunks;
}

describe('chunkers', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api?.close());

  async function collection(name: string, settings: object): Promise<void> {
    expect((await api.client.post('/collections', { name, ...settings })).status).toBe(201);
  }

  it('parent-child finds small chunks and answers with the whole parent', async () => {
    await collection('families', { chunker: 'parent-child', chunk_tokens_max: 200, overlap_tokens: 0 });
    const { document_id: id } = await api.client.indexText(manual(), { collection: 'families' });
    const chunks = await chunksOf(api.client, id);
    expect(Math.max(...chunks.map(({ token_count }) => token_count))).toBeLessThanOrEqual(60);
    const [source] = await search(api.client, 'families', 'What has setting number 205?');
    expect(source!.text).toContain('setting number 205');
    expect(source!.text).toContain('setting number 203');
    expect(source!.text).not.toContain('valve');
    const { text } = await api.client.content(id);
    expect(words(text.slice(source!.char_start, source!.char_end))).toEqual(words(source!.text));
  });

  it('sentence-window finds a sentence and answers with those around it', async () => {
    await collection('sentences', { chunker: 'sentence-window' });
    const { document_id: id } = await api.client.indexText(manual(), { collection: 'sentences' });
    expect((await chunksOf(api.client, id)).length).toBeGreaterThanOrEqual(24);
    const [source] = await search(api.client, 'sentences', 'What has setting number 105?');
    for (const near of [103, 104, 105, 106, 107]) expect(source!.text).toContain(`number ${near},`);
    expect(source!.text).not.toContain('number 111,');
    const { text } = await api.client.content(id);
    expect(words(text.slice(source!.char_start, source!.char_end))).toEqual(words(source!.text));
  });

  it('cuts a collection anew in the background when its chunker changes', async () => {
    await collection('changing', { chunk_tokens_max: 400 });
    const { document_id: id } = await api.client.indexText(manual(), { collection: 'changing' });
    const before = await chunksOf(api.client, id);
    const response = await fetch(`${api.url}/collections/changing`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ chunker: 'sentence-window' }),
    });
    expect(response.status).toBe(202);
    const { job_id } = (await response.json()) as { job_id: string };
    const job = await api.client.jobEnd({ job_id });
    expect(job).toMatchObject({ status: 'ready', resolved_count: 1, still_failing_count: 0, total: 1 });
    expect((await chunksOf(api.client, id)).length).toBeGreaterThan(before.length);
    expect(await search(api.client, 'changing', 'What has setting number 105?')).toHaveLength(1);
  });

  it('cuts anew what search sees of a document whose newer version failed', async () => {
    await collection('failing', { chunk_tokens_max: 400 });
    const fields = { collection: 'failing', external_id: 'manual' };
    const { document_id: id } = await api.client.indexText(manual(), fields);
    const before = await chunksOf(api.client, id);
    const { body } = await api.client.upload('manual.pdf', Buffer.from('%PDF-1.7\n cut off'), fields);
    expect((await api.client.jobEnd(body)).status).toBe('failed');
    const response = await fetch(`${api.url}/collections/failing`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ chunker: 'sentence-window' }),
    });
    const job = await api.client.jobEnd((await response.json()) as { job_id: string });
    expect(job).toMatchObject({ status: 'ready', resolved_count: 1, total: 1 });
    expect((await chunksOf(api.client, id)).length).toBeGreaterThan(before.length);
    const retry = await api.client.call<{ code: string }>(`/jobs/${body.job_id}/retry`);
    expect(retry).toMatchObject({ status: 409, body: { code: 'job_conflict' } });
  });

  it('searches each document in its own language', async () => {
    await collection('languages', {});
    await api.client.indexText(
      'Die Sicherungen der Datenbanken werden jede Nacht von einem Dienst geprüft, der alle Fehler meldet.',
      { collection: 'languages', title: 'Sicherung' },
    );
    await api.client.indexText(
      'The backups of all databases are verified every night by a service that reports what it has found.',
      { collection: 'languages', title: 'Backup' },
    );
    const { body } = await api.client.get<{ collections: { name: string; languages: string[] }[] }>(
      '/collections',
    );
    const { languages } = body.collections.find(({ name }) => name === 'languages')!;
    expect(languages.sort()).toEqual(['english', 'german']);
    // Stems meet in their own language only: "Prüfung" and "geprüft" don't, "Datenbank" and "Datenbanken" do.
    const lexical = async (question: string) =>
      (
        await api.client.post<{ sources: { title: string }[] }>('/search', {
          question,
          collection: 'languages',
          mode: 'lexical',
        })
      ).body.sources.map(({ title }) => title);
    expect(await lexical('Datenbank')).toEqual(['Sicherung']);
    expect(await lexical('verifying a database')).toEqual(['Backup']);
  });
});

import { expect } from 'vitest';
import { openStream, readAll } from './event-stream.js';
import { addKey, addTenant, type TestTenant } from './tenants.js';
import type { TestApi } from './test-api.js';

/** Words that nobody else has, in each place that a tenant can put one. The attacker never sends them. */
export const words = {
  text: 'zanzibarium',
  title: 'quillonette',
  metadata: 'brontoflex',
  externalId: 'vexillaria-77',
  collection: 'harpsidium',
  keyName: 'oculastra',
  user: 'mirandolus',
};
export const IDEMPOTENCY_KEY = 'shared-idempotency-key';
export const QUESTION = 'Which place is far away?';

export interface Victim {
  tenant: TestTenant;
  ids: string[];
  documents: string[];
  jobs: string[];
  conversation: string;
  /** Of an answer that can still be read. */
  stream: string;
}

/** A tenant with something of everything, asked and answered, so that it is in every cache. */
export async function fillVictim(api: TestApi): Promise<Victim> {
  const tenant = await addTenant(api);
  const { client } = tenant;
  const own = await client.post<{ collection_id: string }>('/collections', { name: words.collection });
  const documents: string[] = [];
  const jobs: string[] = [];
  const ids = [own.body.collection_id, tenant.keyId];
  for (const collection of ['default', words.collection]) {
    const { document_id, job_id } = await client.indexText(`The place ${words.text} is far away.`, {
      collection,
      title: words.title,
      external_id: words.externalId,
      metadata: { word: words.metadata, lang: 'en' },
    });
    const { chunks } = await client.content(document_id);
    documents.push(document_id);
    jobs.push(job_id);
    ids.push(document_id, job_id, ...chunks.map(({ chunk_id }) => chunk_id));
    const headers = { 'idempotency-key': IDEMPOTENCY_KEY, 'x-user-id': words.user };
    const answer = await client.post('/query', { question: QUESTION }, headers);
    expect(JSON.stringify(answer.body)).toContain(words.text);
    ids.push((answer.body as { request_id: string }).request_id);
  }
  const begun = await client.post<{ id: string }>('/conversations', { title: words.title });
  const conversation = begun.body.id;
  const events = await readAll(
    await openStream(`${api.url}/query/stream`, {
      body: { question: QUESTION, conversation_id: conversation, resumable: true },
      headers: { authorization: `Bearer ${tenant.key}` },
    }),
  );
  expect(events.at(-1)!.data).toContain(words.text);
  const stream = events[0]!.id!.split(':')[0]!;
  ids.push(conversation, stream);
  const key = await addKey(api, tenant.id, ['query'], words.user);
  ids.push(key.key.id);
  return { tenant, ids: [...new Set(ids)], documents, jobs, conversation, stream };
}

/** Everything that the victim can see of what is its own. */
export async function snapshot({ tenant: { client }, documents, conversation }: Victim): Promise<string> {
  const paths = [
    '/documents',
    '/collections',
    '/jobs',
    `/conversations/${conversation}`,
    ...documents.flatMap((id) => [`/documents/${id}/text`, `/documents/${id}/chunks`]),
  ];
  const parts: unknown[] = [];
  for (const path of paths) parts.push((await client.get(path)).body);
  const keys = await client.get<{
    keys: { key_id: string; revoked_at: string | null; secrets: unknown[] }[];
  }>('/keys');
  parts.push(keys.body.keys.map(({ key_id, revoked_at, secrets }) => [key_id, revoked_at, secrets.length]));
  return JSON.stringify(parts);
}

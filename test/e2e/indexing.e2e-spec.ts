import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { makePdf, makeScannedPdf, makeZip } from '../support/documents.js';
import type { AcceptedView, RagstoneClient } from '../support/ragstone-client.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

const samples = join(projectFolder, 'samples');
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let api: TestApi;
let client: RagstoneClient;
beforeAll(async () => {
  api = await startTestApi({ INDEX_BYTES_MAX: '3000000' });
  ({ client } = api);
});
afterAll(() => api?.close());

async function uploadAndWait(filename: string, bytes: Uint8Array) {
  const accepted = await client.upload(filename, bytes);
  expect(accepted.status).toBe(202);
  return { accepted: accepted.body, job: await client.jobEnd(accepted.body) };
}

describe('POST /index', () => {
  it('makes every sample searchable, each chunk being the text at its span, within its token budget', async () => {
    const names = (await readdir(samples)).filter((name) =>
      /^(?!README).*\.(md|html|txt|pdf|docx)$/.test(name),
    );
    expect(names.length).toBeGreaterThanOrEqual(8);
    for (const name of names) {
      const { accepted, job } = await uploadAndWait(name, await readFile(join(samples, name)));
      expect(job, name).toMatchObject({ status: 'ready', stage: 'store', error: null });
      const { text, chunks } = await client.content(accepted.document_id);
      expect(chunks.length, name).toBeGreaterThan(2);
      expect(job.total).toBe(chunks.length);
      for (const chunk of chunks) {
        expect(text.slice(chunk.char_start, chunk.char_end)).toBe(chunk.text);
        expect(chunk.token_count).toBeLessThanOrEqual(400);
      }
    }
  });

  it('takes text with a title and gives the title back with the source', async () => {
    await client.indexText('The zebrafish heart regenerates within sixty days.', {
      title: 'Zebrafish notes',
    });
    const { body } = await client.post<{ sources: { title: string }[] }>('/search', {
      question: 'How fast does the zebrafish heart regenerate?',
    });
    expect(body.sources[0]!.title).toBe('Zebrafish notes');
  });

  it('says "unchanged" for the same content and keeps one document', async () => {
    const first = await client.indexText('Only once, please: quokkas live on Rottnest Island.');
    const second = await client.post<AcceptedView>('/index', {
      text: 'Only once, please: quokkas live on Rottnest Island.',
    });
    expect(second.body).toMatchObject({ status: 'unchanged', document_id: first.document_id, version: 1 });
  });

  it('replaces the content of an external_id, so that the old answer is gone', async () => {
    const first = await client.indexText('The gate code of building Q is 1234.', { external_id: 'gate' });
    const second = await client.indexText('The gate code of building Q is 9876.', { external_id: 'gate' });
    expect(second).toMatchObject({ document_id: first.document_id, version: 2 });
    const { body } = await client.ask('What is the gate code of building Q?');
    expect(body.answer).toContain('9876');
    expect(JSON.stringify(body)).not.toContain('1234');
  });

  it('forgets a deleted document at once', async () => {
    const accepted = await client.indexText('The axolotl in tank seven is named Fernanda.');
    expect(await client.delete(`/documents/${accepted.document_id}`)).toBe(204);
    const { body } = await client.ask('What is the name of the axolotl in tank seven?');
    expect(JSON.stringify(body.sources)).not.toContain('Fernanda');
    expect((await client.get(`/documents/${accepted.document_id}`)).status).toBe(404);
  });

  it('cuts by the budget of the collection', async () => {
    const made = await client.post('/collections', {
      name: 'small',
      chunk_tokens_max: 50,
      overlap_tokens: 10,
    });
    expect(made.status).toBe(201);
    const text = Array.from(
      { length: 40 },
      (_, n) => `Sentence number ${n} says a little about topic ${n}.`,
    ).join(' ');
    const accepted = await client.indexText(text, { collection: 'small' });
    const { chunks } = await client.content(accepted.document_id);
    expect(chunks.length).toBeGreaterThan(5);
    expect(Math.max(...chunks.map((chunk) => chunk.token_count))).toBeLessThanOrEqual(50);
  });

  it('keeps collections apart', async () => {
    await client.post('/collections', { name: 'apart' });
    await client.indexText('The secret word of this collection is marzipan.', { collection: 'apart' });
    const other = await client.ask('What is the secret word of this collection?');
    expect(JSON.stringify(other.body)).not.toContain('marzipan');
    const own = await client.ask('What is the secret word of this collection?', { collection: 'apart' });
    expect(own.body.answer).toContain('marzipan');
  });
});

describe('POST /index with file_path', () => {
  it('reads a file below INDEX_ROOT', async () => {
    await mkdir(join(api.folder, 'sub'), { recursive: true });
    await writeFile(
      join(api.folder, 'sub', 'note.md'),
      '# Lighthouse\n\nThe lighthouse keeper is called Ansgar.',
    );
    const accepted = await client.post<AcceptedView>('/index', { file_path: 'sub/note.md' });
    expect(accepted.status).toBe(202);
    expect((await client.jobEnd(accepted.body)).status).toBe('ready');
  });

  it.each([
    '../outside.md',
    'sub/../../outside.md',
    '/etc/passwd',
    'link-to-file',
    'link-to-folder/passwd',
    'no\0ne',
  ])('answers 403 for %j, whether it exists or not', async (path) => {
    await writeFile(join(tmpdir(), 'outside.md'), 'outside');
    await symlink('/etc/passwd', join(api.folder, 'link-to-file')).catch(() => undefined);
    await symlink('/etc', join(api.folder, 'link-to-folder')).catch(() => undefined);
    const { status, body } = await client.post('/index', { file_path: path });
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'path_not_allowed' });
  });

  it('answers 404 for a file that is not there, and for a folder', async () => {
    expect((await client.post('/index', { file_path: 'nothing.md' })).status).toBe(404);
    await mkdir(join(api.folder, 'folder'), { recursive: true });
    expect((await client.post('/index', { file_path: 'folder' })).status).toBe(404);
  });
});

describe('documents that can not be indexed', () => {
  it.each([
    ['picture.png', png, 'image/png'],
    ['renamed.docx', makeZip(), 'ordinary ZIP archive'],
    ['drawing.svg', Buffer.from('<svg/>'), '.svg'],
    ['random.md', Buffer.from([1, 0, 2, 0, 3, 0, 255]), 'binary'],
    ['text.pdf', Buffer.from('this is no PDF'), 'named .pdf'],
  ])('answers 415 for %s and says why', async (name, bytes, why) => {
    const { status, body } = await client.upload(name, bytes);
    expect(status).toBe(415);
    expect(body).toMatchObject({ code: 'unsupported_media_type', detail: expect.stringContaining(why) });
  });

  it('answers 413 for a file above the limit, sent as a form, as text or by path', async () => {
    const large = Buffer.alloc(3_000_001, 'a ');
    await writeFile(join(api.folder, 'large.txt'), large);
    const replies = [
      await client.upload('large.txt', large),
      await client.post('/index', { text: large.toString() }),
      await client.post('/index', { file_path: 'large.txt' }),
    ];
    for (const { status, body } of replies) {
      expect({ status, code: (body as { code?: string }).code }).toEqual({
        status: 413,
        code: 'payload_too_large',
      });
    }
  });

  it('fails the job of an empty, cut, encrypted, scanned or wrongly encoded document with a sentence', async () => {
    const pdf = await makePdf([{ heading: 'Report', paragraphs: ['Some words of a report. '.repeat(100)] }]);
    const secret = await makePdf([{ paragraphs: ['locked'] }], { password: 'sesame' });
    const docx = await readFile(join(samples, 'chinese-retrieval-zh.docx'));
    const cases: [name: string, bytes: Uint8Array, code: string][] = [
      ['empty.txt', Buffer.alloc(0), 'document_empty'],
      ['empty.pdf', Buffer.alloc(0), 'document_empty'],
      ['blank.md', Buffer.from(' \n\n \t\n'), 'document_empty'],
      ['half.pdf', pdf.subarray(0, pdf.length / 2), 'document_damaged'],
      ['half.docx', docx.subarray(0, docx.length / 2), 'document_damaged'],
      ['secret.pdf', secret, 'document_encrypted'],
      ['scan.pdf', await makeScannedPdf(), 'no_text_layer'],
      [
        'noise.txt',
        Buffer.from(Array.from({ length: 4_000 }, (_, n) => ((n * 7_919) % 251) + 1)),
        'unsupported_encoding',
      ],
    ];
    for (const [name, bytes, code] of cases) {
      const { accepted, job } = await uploadAndWait(name, bytes);
      expect(job, name).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: { code, stage: 'parse', retryable: false },
      });
      expect(job.error!.message, name).toMatch(/^[A-Z].{20,}[.]$/);
      const document = await client.get(`/documents/${accepted.document_id}`);
      expect(document.body, name).toMatchObject({ current_version: null, latest_status: 'failed' });
    }
  });

  it('keeps the old version answering when its replacement can not be read', async () => {
    const fields = { external_id: 'manual' };
    await client.indexText('The pump of station nine needs 4 litres of oil.', fields);
    const bad = await client.upload('manual.pdf', Buffer.from('%PDF-1.7 broken'), fields);
    expect((await client.jobEnd(bad.body)).status).toBe('failed');
    const { body } = await client.ask('How much oil does the pump of station nine need?');
    expect(body.answer).toContain('4 litres');
  });
});

describe('without INDEX_ROOT', () => {
  it('answers 403 to every file_path and says which setting turns it on', async () => {
    const closed = await startTestApi({ INDEX_ROOT: '' });
    const { status, body } = await closed.client.post('/index', { file_path: 'note.md' });
    expect(status).toBe(403);
    expect(body.detail).toContain('INDEX_ROOT');
    await closed.close();
  });
});

import { describe, expect, it } from 'vitest';
import { docxParagraph, makeDocx, makePdf, makeZip } from '../../../../test/support/documents.js';
import { detectMediaType } from './detect-media-type.js';
import { docxMediaType } from './media-types.js';

const of = (content: string | Uint8Array, filename?: string, declaredMediaType?: string) =>
  detectMediaType({
    bytes: typeof content === 'string' ? Buffer.from(content) : content,
    ...(filename && { filename }),
    ...(declaredMediaType && { declaredMediaType }),
  });

describe('detectMediaType', () => {
  it('goes by content, whatever the name says', async () => {
    expect(await of(await makePdf([{ paragraphs: ['x'] }]), 'letter.txt')).toBe('application/pdf');
    expect(await of(makeDocx(docxParagraph('x')), 'letter.pdf')).toBe(docxMediaType);
    expect(await of('<!DOCTYPE html>\n<html><p>x</p></html>', 'page.txt')).toBe('text/html');
    expect(await of('<!-- saved page --><html lang="de"><p>x</p>')).toBe('text/html');
  });

  it('tells text formats apart by name, then by the declared type, then takes Markdown', async () => {
    expect(await of('# x', 'a.md')).toBe('text/markdown');
    expect(await of('<p>x</p>', 'a.htm')).toBe('text/html');
    expect(await of('x', 'notes.txt')).toBe('text/plain');
    expect(await of('x', 'server.log')).toBe('text/plain');
    expect(await of('x', undefined, 'text/plain; charset=utf-8')).toBe('text/plain');
    expect(await of('x', 'README', 'application/octet-stream')).toBe('text/markdown');
    expect(await of('', 'empty.txt')).toBe('text/plain');
  });

  it('looks past any number of comments', async () => {
    expect(await of(`${'<!---->'.repeat(100)}<html><p>x</p></html>`)).toBe('text/html');
    expect(await of(`${'<!---->'.repeat(120)} text`, 'a.txt')).toBe('text/plain');
  });

  it('takes UTF-16 with a byte order mark for text', async () => {
    expect(await of(Buffer.from('\ufeffhello', 'utf16le'), 'a.txt')).toBe('text/plain');
  });

  it.each([
    ['a renamed archive', makeZip(), 'a.docx', /ordinary ZIP archive/],
    ['an archive', makeZip(), 'a.zip', /one by one/],
    ['an old Word document', Buffer.from('d0cf11e0a1b11ae1'.padEnd(2000, '0'), 'hex'), 'a.doc', /\.docx/],
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'a.md', /image\/png/],
    ['binary data', Buffer.from([1, 2, 0, 4]), 'a.md', /binary/],
    ['a table', Buffer.from('a,b\n1,2'), 'a.csv', /\.csv/],
    ['text that is named PDF', Buffer.from('hello'), 'a.pdf', /named \.pdf/],
  ])('refuses %s and says what to do', async (_what, bytes, filename, message) => {
    await expect(of(bytes, filename)).rejects.toMatchObject({
      code: 'unsupported_media_type',
      message: expect.stringMatching(message),
    });
  });
});

import { describe, expect, it } from 'vitest';
import { makeEpub } from '../../../../../test/support/office-files.js';
import { outline } from '../../../../../test/support/outline.js';
import { epubMediaType } from '../media-types.js';
import { parseDocument } from '../parse-document.js';

const parse = (bytes: Uint8Array) => parseDocument({ bytes, mediaType: epubMediaType });
const chapters = [
  { path: 'z first.xhtml', html: '<p>Water rises &amp; falls.</p>', title: 'Of Water' },
  {
    path: 'text/a.xhtml',
    html: '<h1>Of Oil</h1><p>See <a href="https://oil.test">oil</a>.</p><script>x()</script>',
    title: 'Oil',
  },
  { path: 'text/b.xhtml', html: '<ul><li>one</li><li>two</li></ul>' },
  { path: 'cover.xhtml', html: '<img src="c.png"/>', title: 'Cover' },
];

describe('EPUB', () => {
  it.each([2, 3] as const)(
    'version %s: chapters in reading order, titles from the contents where a chapter has none',
    async (version) => {
      const document = await parse(makeEpub(chapters, { version }));
      expect(document).toMatchObject({
        title: 'A Book of Pumps',
        pageCount: null,
        metadata: { author: ['Ada', 'Bo'], language: 'en' },
      });
      expect(outline(document)).toEqual([
        'heading1: # Of Water',
        'paragraph: Water rises & falls.',
        'heading1: # Of Oil',
        'paragraph: See [oil](https://oil.test).',
        expect.stringMatching(/^list: -\s+one\n-\s+two$/),
      ]);
    },
  );

  it('says that a protected book is, and reads one whose fonts alone are', async () => {
    const encrypted = (path: string) =>
      `<encryption><EncryptedData><CipherData><CipherReference URI="${path}"/></CipherData></EncryptedData></encryption>`;
    const protectedBook = makeEpub(chapters, { encryption: encrypted('OEBPS/text/a.xhtml') });
    await expect(parse(protectedBook)).rejects.toMatchObject({ code: 'document_encrypted' });
    expect((await parse(makeEpub(chapters, { encryption: encrypted('OEBPS/f.otf') }))).title).toBe(
      'A Book of Pumps',
    );
  });

  it('neither fetches nor expands entities', async () => {
    const html = '<p>before &lol; after &nbsp;end</p>';
    const { text } = await parse(makeEpub([{ path: 'a.xhtml', html }]));
    expect(text).toMatch(/before &lol; after\s+end/);
  });

  it('is read or refused with a code, wherever it is cut off or changed', async () => {
    const bytes = makeEpub(chapters.slice(0, 1));
    for (let offset = 1; offset < bytes.length; offset += 3) {
      for (const damaged of [bytes.subarray(0, offset), bytes.with(offset, bytes[offset]! ^ 0x55)]) {
        const outcome = await parse(damaged).catch((error: { code?: string }) => error.code);
        expect(outcome, `at ${offset}`).toBeDefined();
      }
    }
  });
});

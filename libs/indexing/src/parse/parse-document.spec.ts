import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { docxParagraph, makeDocx, makePdf } from '../../../../test/support/documents.js';
import { docxMediaType, type SupportedMediaType } from './media-types.js';
import { parseDocument } from './parse-document.js';
import type { ParsedDocument } from './parsed-document.js';

const parse = (content: string | Uint8Array, mediaType: SupportedMediaType) =>
  parseDocument({ bytes: typeof content === 'string' ? Buffer.from(content) : content, mediaType });

function outline({ text, blocks }: ParsedDocument): string[] {
  return blocks.map(({ kind, level, start, end }) => `${kind}${level ?? ''}: ${text.slice(start, end)}`);
}

describe('Markdown', () => {
  it('keeps the text as it is and finds its blocks', async () => {
    const source =
      '---\ntitle: "Front"\n---\n\n# One\n\nText\nwraps.\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```js\ncode\n\nmore\n```\n\nTwo\n===\n\n***\n\n<!-- note -->\n\n[ref]: http://x.y\n';
    const document = await parse(source, 'text/markdown');
    expect(document).toMatchObject({ text: source, title: 'Front', pageCount: null });
    expect(outline(document)).toEqual([
      'heading1: # One',
      'paragraph: Text\nwraps.',
      'list: - a\n- b',
      'table: | x | y |\n|---|---|\n| 1 | 2 |',
      'code: ```js\ncode\n\nmore\n```',
      'heading1: Two\n===',
    ]);
  });

  it('takes the first heading for the title, without its marks', async () => {
    expect((await parse('# The `pg_dump` **tool**\n\nx', 'text/markdown')).title).toBe('The pg_dump tool');
    expect((await parse('x\n\n## Later', 'text/markdown')).title).toBeNull();
  });

  it('loses no word where tabs and line ends differ', async () => {
    const document = await parse('a\r\n\r\n-\tone\r\n\ttwo\r\n\r\n\tcode\r\n1.\tthree\r\n', 'text/markdown');
    const covered = document.blocks.map(({ start, end }) => document.text.slice(start, end)).join(' ');
    for (const word of ['a', 'one', 'two', 'code', 'three']) expect(covered).toContain(word);
    expect(document.text).not.toContain('\r');
  });
});

describe('plain text', () => {
  it('has paragraphs between blank lines and no headings', async () => {
    expect(outline(await parse('# not a heading\nline\n\n \n  two  \n', 'text/plain'))).toEqual([
      'paragraph: # not a heading\nline',
      'paragraph: two',
    ]);
  });

  it('reads UTF-8 and UTF-16 with byte order marks', async () => {
    expect((await parse(Buffer.from('\ufeff中文', 'utf8'), 'text/plain')).text).toBe('中文');
    expect((await parse(Buffer.from('\ufeff中文', 'utf16le'), 'text/plain')).text).toBe('中文');
  });
});

describe('HTML', () => {
  const page = `<!doctype html><html><head><title>Oil | Pumps Inc</title><style>p{}</style></head><body>
    <nav><a href="/">Home</a> <a href="/x">Products</a></nav>
    <div class="cookie-banner">We use cookies</div>
    <article><h1>Oil change</h1><p>${'Change the oil of the pump every 500 hours of work. '.repeat(5)}</p>
    <h2>Tools</h2><ul><li>wrench</li><li>bucket</li></ul>
    <table><thead><tr><th>Pump</th><th>Oil</th></tr></thead><tbody><tr><td>P-100</td><td>4 l</td></tr></tbody></table>
    <pre><code>pump --drain</code></pre><p>See <a href="https://pumps.test/manual">the manual</a>.<img src="x.png" alt="Drain plug"></p></article>
    <footer>Copyright Pumps Inc</footer><script>alert(1)</script></body></html>`;

  it('keeps headings, lists, tables, code and links of the main content, and no navigation', async () => {
    const document = await parse(page, 'text/html');
    expect(document.title).toBe('Oil change');
    const { text } = document;
    for (const kept of [
      '# Oil change',
      '## Tools',
      'wrench',
      '| P-100 | 4 l |',
      'pump --drain',
      '[the manual](https://pumps.test/manual)',
      'Drain plug',
    ])
      expect(text).toContain(kept);
    for (const dropped of ['Home', 'cookies', 'Copyright', 'alert', 'p{}'])
      expect(text).not.toContain(dropped);
  });

  it('keeps tables of data, and the words alone of tables that only place things', async () => {
    const data =
      '<table><caption>Oil</caption><tr><th>Pump</th><th colspan="2">Oil</th></tr><tr><td>P|1</td><td>4<br>l</td><td><a href="https://x.test">x</a></td></tr></table>';
    const layout = `<table><tr><td><h2>Left</h2><p>words</p></td><td>${data}</td></tr></table>`;
    const { text } = await parse(`<html><body>${layout}</body></html>`, 'text/html');
    expect(text).toBe(
      '## Left\n\nwords\n\nOil\n\n| Pump | Oil |  |\n| --- | --- | --- |\n| P\\|1 | 4 l | [x](https://x.test) |',
    );
  });

  it('reads short pages and fragments', async () => {
    expect((await parse('<p>Just <b>one</b> line_with_marks.</p>', 'text/html')).text).toBe(
      'Just **one** line_with_marks.',
    );
    expect((await parse('<h1>A</h1><p>b</p>', 'text/html')).text).toContain('b');
  });

  it('reads the encoding that the page names', async () => {
    const gb18030 = Buffer.concat([
      Buffer.from('<html><head><meta charset="gb2312"></head><body><p>'),
      Buffer.from([0xd6, 0xd0, 0xce, 0xc4]),
      Buffer.from('</p></body></html>'),
    ]);
    expect((await parse(gb18030, 'text/html')).text).toContain('中文');
  });
});

const cell = (text: string) => `<w:tc>${docxParagraph(text)}</w:tc>`;

describe('DOCX', () => {
  it('becomes Markdown with headings and tables', async () => {
    const table = `<w:tbl><w:tr>${cell('Pump')}${cell('Oil')}</w:tr><w:tr>${cell('P-100')}${cell('4 l')}</w:tr></w:tbl>`;
    const body = docxParagraph('Manual', 'Heading1') + docxParagraph('Change the oil.') + table;
    const document = await parse(makeDocx(body), docxMediaType);
    expect(document.title).toBe('Manual');
    expect(outline(document)).toEqual([
      'heading1: # Manual',
      'paragraph: Change the oil.',
      expect.stringMatching(/^table: \|[^]*P-100 \| 4 l/),
    ]);
  });

  it('refuses an archive that would unpack to more than 200 MB without unpacking it', async () => {
    const bomb = zipSync({
      'word/document.xml': [strToU8(' '.repeat(201 * 1024 * 1024)), { level: 1 }],
    });
    await expect(parse(bomb, docxMediaType)).rejects.toMatchObject({ code: 'document_too_large' });
  }, 30_000);

  it('says that a broken one is damaged', async () => {
    const docx = makeDocx(docxParagraph('x'));
    await expect(parse(docx.subarray(0, docx.length - 40), docxMediaType)).rejects.toMatchObject({
      code: 'document_damaged',
    });
    await expect(
      parse(zipSync({ '[Content_Types].xml': strToU8('<x') }), docxMediaType),
    ).rejects.toMatchObject({
      code: 'document_damaged',
    });
  });
});

describe('PDF', () => {
  it('has a page for every block, headings by font size, and paragraphs joined to one line', async () => {
    const long = 'The pump runs for many hours before its oil must be changed by a trained person. '
      .repeat(3)
      .trim();
    const bytes = await makePdf([
      { heading: 'Operation', paragraphs: [long, 'Second paragraph.'] },
      { heading: 'Maintenance', paragraphs: ['Change the oil.'] },
    ]);
    const pages: [number, number][] = [];
    const document = await parseDocument({ bytes, mediaType: 'application/pdf' }, (done, total) =>
      pages.push([done, total]),
    );
    expect(pages).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(document.pageCount).toBe(2);
    expect(document.blocks.map(({ page }) => page)).toEqual([1, 1, 1, 2, 2]);
    expect(outline(document)).toEqual([
      'heading1: Operation',
      `paragraph: ${long}`,
      'paragraph: Second paragraph.',
      'heading1: Maintenance',
      'paragraph: Change the oil.',
    ]);
    expect(document.text.split('\f')).toHaveLength(2);
  });

  it('drops running headers and page numbers', async () => {
    const pages = Array.from({ length: 4 }, (_, n) => ({
      paragraphs: [`Body of page number ${n + 1} is here.`],
    }));
    const { text } = await parse(
      await makePdf(pages, { running: 'Plant handbook, edition 7' }),
      'application/pdf',
    );
    expect(text).not.toContain('handbook');
    expect(text.replaceAll(/\s+/g, ' ')).toBe(pages.map(({ paragraphs }) => paragraphs[0]).join(' '));
  });

  it('takes the title of the file', async () => {
    const { title } = await parse(
      await makePdf([{ paragraphs: ['Some text here.'] }], { title: 'Named' }),
      'application/pdf',
    );
    expect(title).toBe('Named');
  });
});

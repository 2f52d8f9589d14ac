import { setTimeout as sleep } from 'node:timers/promises';
import PDFDocument from 'pdfkit';
import { describe, expect, it } from 'vitest';
import { makePdf, makeScannedPdf } from '../../../../../test/support/documents.js';
import { outline } from '../../../../../test/support/outline.js';
import {
  catalog,
  deflated,
  drawn,
  font,
  onePage,
  type PdfObject,
  writePdf,
} from '../../../../../test/support/raw-pdf.js';
import { parseDocument } from '../parse-document.js';

const parse = (bytes: Uint8Array) => parseDocument({ bytes, mediaType: 'application/pdf' });
const MB = 1024 * 1024;

async function draw(
  write: (pdf: PDFKit.PDFDocument) => void,
  options: PDFKit.PDFDocumentOptions = {},
): Promise<Buffer> {
  const pdf = new PDFDocument({ size: 'A4', margin: 72, ...options });
  const parts: Buffer[] = [];
  pdf.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => pdf.on('end', resolve));
  write(pdf);
  pdf.end();
  await ended;
  return Buffer.concat(parts);
}

const words =
  'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa'.split(
    ' ',
  );
/** Lines of about 40 characters that say which they are. */
const columnLines = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${name}${n} ${words.slice(n % 8, (n % 8) + 6).join(' ')}`);
const order = (text: string) =>
  Array.from(text.matchAll(/\b([LMR])(\d+) /g), ([, side, line]) => `${side}${line}`);

describe('columns of a PDF', () => {
  const left = columnLines('L', 20);
  const right = columnLines('R', 20);
  const inOrder = [...left.keys().map((n) => `L${n}`), ...right.keys().map((n) => `R${n}`)];

  it('are read one after the other, though the file goes through them line by line', async () => {
    const bytes = await draw((pdf) => {
      pdf.fontSize(16).text('A title across both columns of the page', 60, 60, { lineBreak: false });
      for (const [n, line] of left.entries()) {
        pdf.fontSize(9).text(line, 60, 100 + n * 12, { lineBreak: false });
        pdf.fontSize(9).text(right[n]!, 320, 100 + n * 12, { lineBreak: false });
      }
      pdf
        .fontSize(9)
        .text(`A note below both columns that is as wide as the page: ${words.join(' ')}`, 60, 400, {
          lineBreak: false,
        });
    });
    const { text } = await parse(bytes);
    expect(order(text)).toEqual(inOrder);
    expect(text).toMatch(/^A title across[^]*A note below both columns/);
  });

  it('may be three, and keep the order of a file that is right', async () => {
    const middle = columnLines('M', 20);
    const bytes = await draw((pdf) => {
      for (const [n, line] of left.entries()) {
        for (const [column, of] of [line, middle[n]!, right[n]!].entries()) {
          pdf.fontSize(6).text(of, 40 + column * 180, 100 + n * 9, { lineBreak: false });
        }
      }
    });
    expect(order((await parse(bytes)).text)).toEqual(
      ['L', 'M', 'R'].flatMap((side) => left.map((_, n) => `${side}${n}`)),
    );
    const flowing = await draw((pdf) => {
      pdf.fontSize(9).text([...left, ...right].join('\n'), 60, 100, {
        columns: 2,
        columnGap: 30,
        width: 480,
        height: 240,
      });
    });
    expect(order((await parse(flowing)).text)).toEqual(inOrder);
  });

  it('are not seen in a table', async () => {
    const bytes = await draw((pdf) => {
      for (let n = 0; n < 20; n += 1) {
        for (const [column, cell] of [`L${n} pump`, `R${n} oil`].entries()) {
          pdf.fontSize(10).text(cell, 60 + column * 250, 100 + n * 14, { lineBreak: false });
        }
      }
    });
    expect(order((await parse(bytes)).text.replaceAll(/\s+/g, ' ')).slice(0, 4)).toEqual([
      'L0',
      'R0',
      'L1',
      'R1',
    ]);
  });
});

describe('bookmarks of a PDF', () => {
  it('are headings of their level, where their title stands or else where their page begins', async () => {
    const bytes = await draw((pdf) => {
      pdf
        .fontSize(11)
        .text('1  Getting started')
        .moveDown()
        .text('Unpack the pump and look at it for damage.');
      const start = pdf.outline.addItem('Getting Started');
      pdf.fontSize(15).moveDown().text('A hint').fontSize(11).moveDown().text('Keep the box it came in.');
      pdf.addPage().text('Tighten the bolts before the first run of the pump.');
      start.addItem('Bolts & nuts');
      pdf.addPage().text('Oil').moveDown().text('Change the oil every 500 hours of work.');
      pdf.outline.addItem('Oil');
    });
    expect(outline(await parse(bytes))).toEqual([
      'heading1 on 1: 1 Getting started',
      'paragraph on 1: Unpack the pump and look at it for damage.',
      'heading2 on 1: A hint',
      'paragraph on 1: Keep the box it came in.',
      'heading2 on 2: Bolts & nuts',
      'paragraph on 2: Tighten the bolts before the first run of the pump.',
      'heading1 on 3: Oil',
      'paragraph on 3: Change the oil every 500 hours of work.',
    ]);
  });
});

describe('properties of a PDF', () => {
  it('are metadata; the name of a file is no title', async () => {
    const info = {
      Author: 'Ada',
      Subject: 'Öl',
      Keywords: 'oil, pump',
      CreationDate: new Date('2024-05-06T07:08:09Z'),
    };
    const bytes = await draw((pdf) => pdf.text('Some text on a page.'), {
      info: { ...info, Title: 'Microsoft Word - draft.docx' },
    });
    expect(await parse(bytes)).toMatchObject({
      title: null,
      metadata: { author: 'Ada', subject: 'Öl', keywords: 'oil, pump', created: '2024-05-06T07:08:09.000Z' },
    });
  });
});

const text = 'Some text on a page of a strange file.';
const read = (bytes: Uint8Array) =>
  parse(bytes).then(
    (document) => document.text,
    (error: { code?: string }) => error.code,
  );

describe('a bad PDF', () => {
  it.each<[what: string, bytes: () => Uint8Array | Promise<Uint8Array>, outcome: string]>([
    ['with a password', () => makePdf([{ paragraphs: ['x'] }], { password: 'secret' }), 'document_encrypted'],
    ['of scanned pages', () => makeScannedPdf(), 'no_text_layer'],
    [
      'that breaks off',
      async () => (await makePdf([{ paragraphs: [text] }])).subarray(0, -200),
      'document_damaged',
    ],
    ['that is a header alone', () => Buffer.from('%PDF-1.7\n'), 'document_damaged'],
    [
      'with zeros behind its end',
      () => Buffer.concat([writePdf(onePage(drawn(text))), Buffer.alloc(20_000)]),
      text,
    ],
    [
      'with a stream deflated ten times over',
      () => writePdf(onePage(deflated(Buffer.alloc(MB), 10))),
      'document_unsafe',
    ],
    [
      'with 200 MB of zeros in a page',
      () => writePdf(onePage(deflated(Buffer.alloc(200 * MB), 1))),
      'document_too_large',
    ],
    [
      'with 200 MB of zeros deflated twice',
      () => writePdf(onePage(deflated(Buffer.alloc(200 * MB), 2))),
      'document_too_large',
    ],
    [
      'whose pages are their own children',
      () => writePdf([catalog, '<< /Type /Pages /Kids [2 0 R] /Count 1 >>']),
      'document_damaged',
    ],
    [
      'whose pages are children of each other',
      () =>
        writePdf([
          catalog,
          '<< /Type /Pages /Kids [3 0 R] /Count 2 >>',
          '<< /Type /Pages /Kids [2 0 R] /Count 2 >>',
        ]),
      'document_damaged',
    ],
    [
      'that says it has a billion pages',
      () => writePdf([catalog, '<< /Type /Pages /Kids [] /Count 1000000000 >>']),
      'document_damaged',
    ],
    ['without pages', () => writePdf([catalog, '<< /Type /Pages /Kids [] /Count 0 >>']), 'document_damaged'],
    [
      'with a page of astronomic size',
      () => writePdf(onePage(drawn(text), { mediaBox: '[0 0 1e30 1e30]' })),
      text,
    ],
    ['with a page without any size', () => writePdf(onePage(drawn(text), { mediaBox: '[0 0 0 0]' })), text],
    [
      'with 300,000 objects',
      () => writePdf(onePage(drawn(text), { more: Array.from({ length: 300_000 }, () => '<< /A 1 >>') })),
      text,
    ],
    ['whose table points to itself', () => loopingTable(), text],
    ['whose content refers to itself', () => writePdf(selfDrawing()), 'no_text_layer'],
    [
      'with an array 100,000 deep',
      () => writePdf(onePage(drawn(text), { more: ['['.repeat(100_000) + ']'.repeat(100_000)] })),
      text,
    ],
    ['with an outline that goes in circles', () => writePdf(loopingOutline()), `Loop\n\n${text}`],
    [
      'of random bytes',
      () =>
        Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(50_000), Buffer.from('startxref\n9\n%%EOF')]),
      'document_damaged',
    ],
  ])('%s ends in its text or a code', async (_what, bytes, outcome) => {
    expect(await read(await bytes())).toBe(outcome);
  });

  it('is read or refused with a code, whatever is changed in it', async () => {
    const bytes = await makePdf([{ heading: 'Heading', paragraphs: [text, text] }], { title: 'Title' });
    for (let round = 0; round < 150; round += 1) {
      const changed = Buffer.from(bytes);
      for (let change = 0; change <= round % 8; change += 1) {
        const offset = (round * 7_919 + change * 104_729) % changed.length;
        changed[offset] = (round * 31 + change * 17) % 256;
      }
      expect(await read(changed), `round ${round}`).toBeDefined();
      expect(
        await read(changed.subarray(0, (round * 7_919) % changed.length)),
        `cut in round ${round}`,
      ).toBeDefined();
    }
    await sleep(0); // late rejections would fail the run
  });
});

function randomBytes(length: number): Buffer {
  let seed = 1;
  return Buffer.from(
    Array.from({ length }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % 256;
    }),
  );
}

function loopingTable(): Buffer {
  const bytes = writePdf(onePage(drawn(text))).toString('latin1');
  const start = /startxref\n(\d+)/.exec(bytes)![1]!;
  return Buffer.from(bytes.replace('/Root', `/Prev ${start} /Root`), 'latin1');
}

function selfDrawing(): PdfObject[] {
  const form = {
    dictionary: '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>',
    stream: Buffer.from('/X Do /X Do'),
  };
  const objects = onePage({ dictionary: '', stream: Buffer.from('/X Do') }, { more: [form] });
  objects[2] =
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /X 6 0 R >> >> >>';
  return objects;
}

function loopingOutline(): PdfObject[] {
  const item = '<< /Title (Loop) /Parent 6 0 R /Next 7 0 R /First 7 0 R /Dest [3 0 R /Fit] >>';
  const objects = onePage(drawn(text), { more: ['<< /Type /Outlines /First 7 0 R /Last 7 0 R >>', item] });
  objects[0] = '<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>';
  return objects.with(4, font);
}

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import MailComposer from 'nodemailer/lib/mail-composer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRagError } from '#libs/errors';
import { isArchive, uploadedContent } from '#libs/indexing';
import { projectFolder } from '#libs/project-files';
import { openArchive } from '../../libs/indexing/src/parse/archive.js';
import { ParsePool } from '../../libs/indexing/src/parse-pool.js';
import { collectParts } from '../../libs/indexing/src/prepared-part.js';
import { docxParagraph, makeDocx, makePdf, makeScannedPdf, makeZip } from '../support/documents.js';
import { makeEpub, makePptx, makeXlsx, pptxShape } from '../support/office-files.js';
import { type TestFile, mutantOf, mutationNames } from '../support/mutants.js';
import { rounds, seededRandom } from './random.js';

const MUTANTS = 600 * rounds;
const FILE_BYTES_MAX = 400_000;
const limits = { unpackedBytesMax: 100_000_000, memberBytesMax: 10_000_000 };
/** Another machine is slower; a file that hangs takes the parser's limit of 30 s. */
const READ_MS_MAX = 25_000;

/** How a file may end that is not read: the codes of docs/formats.md. */
const refusals: ReadonlySet<string> = new Set([
  'unsupported_media_type',
  'unsupported_encoding',
  'document_empty',
  'document_damaged',
  'document_encrypted',
  'document_too_large',
  'document_unsafe',
  'no_text_layer',
]);

describe('strange files', () => {
  let pool: ParsePool;
  let files: TestFile[];

  beforeAll(async () => {
    pool = new ParsePool();
    files = [...(await madeFiles()), ...(await realFiles())];
  });

  afterAll(() => pool.close());

  it('are real ones, and are read as they are', async () => {
    const outcomes = new Map<string, string>();
    for (const file of files) outcomes.set(file.name, (await outcomeOf(pool, file)).code);
    const refused = [...outcomes].filter(([, code]) => code !== 'ready');
    expect(Object.fromEntries(refused)).toEqual({
      'scan.pdf': 'no_text_layer',
      'empty.docx': 'document_empty',
      // of one picture each
      'external-picture.docx': 'document_empty',
      'tiny-picture.docx': 'document_empty',
      'tiny-picture-target-base-relative.docx': 'document_empty',
    });
    expect(new Set(files.map(({ name }) => extname(name)))).toEqual(
      new Set('.pdf .docx .pptx .xlsx .epub .eml .html .csv .jsonl .json .md .txt .py .ts .zip'.split(' ')),
    );
  });

  it('among them a PDF whose pages have gone while its table still has them: the parser stays', async () => {
    const { name, bytes } = files.find((file) => file.name === 'handbook.pdf')!;
    const text = Buffer.from(bytes).toString('latin1');
    const damaged = Buffer.from(bytes).fill(0, text.indexOf('11 0 obj') - 20, text.indexOf('17 0 obj') - 6);
    expect((await outcomeOf(pool, { name, bytes: damaged })).code).toBe('document_damaged');
  });

  it(
    `of which ${MUTANTS} were damaged end ready or refused with a code and what to do, and never the parser`,
    async () => {
      const random = seededRandom('strange-files');
      const byCode = new Map<string, Map<string, number>>();
      const unforeseen: object[] = [];
      const seen = new Set<string>();
      let slowestMs = 0;
      for (let number = 0; number < MUTANTS; number += 1) {
        const file = random.pick(files);
        const mutant = mutantOf(file, files, random);
        seen.add(mutant.mutation);
        const startMs = performance.now();
        const { code, message } = await outcomeOf(pool, mutant);
        slowestMs = Math.max(slowestMs, performance.now() - startMs);
        const messages = byCode.get(code) ?? byCode.set(code, new Map()).get(code)!;
        messages.set(generic(message), (messages.get(generic(message)) ?? 0) + 1);
        if (code !== 'ready' && !refusals.has(code)) {
          unforeseen.push({ number, file: file.name, mutation: mutant.mutation, code, message });
        }
      }
      console.log(
        `${MUTANTS} files, the slowest in ${Math.round(slowestMs)} ms:`,
        Object.fromEntries([...byCode].map(([code, messages]) => [code, Object.fromEntries(messages)])),
      );
      expect(unforeseen).toEqual([]);
      for (const [code, messages] of byCode) {
        for (const message of messages.keys()) {
          if (code !== 'ready') expect(message, code).toMatch(saysWhatToDo);
        }
      }
      expect(slowestMs).toBeLessThan(READ_MS_MAX);
      if (rounds > 1) expect(seen).toEqual(new Set(mutationNames));
    },
    60_000 + 40_000 * rounds,
  );
});

const saysWhatToDo =
  /\b(?:open|save|index|send|split|pack|unpack|convert|give|run|remove|rename|correct|write)\b/i;

/** Apart from what is of one file only. */
function generic(message: string): string {
  return message.replaceAll(/"[^"]*"/g, '"..."').replaceAll(/\d+/g, 'n');
}

/** What a worker would make of the file, or of the first files in it. */
async function outcomeOf(
  pool: ParsePool,
  { name, bytes }: TestFile,
): Promise<{ code: string; message: string }> {
  try {
    if (!/\.(?:doc|ppt|xls)x$|\.epub$/.test(name) && (await isArchive(bytes))) {
      let count = 0;
      for await (const member of openArchive(bytes, limits)) {
        if ((count += 1) > 5 || !('bytes' in member)) continue;
        const { code, message } = await outcomeOf(pool, { name: member.path, bytes: member.bytes });
        if (code !== 'ready' && !refusals.has(code)) return { code, message };
      }
      return { code: 'ready', message: 'an archive' };
    }
    const content = await uploadedContent({ bytes: Buffer.from(bytes), filename: name });
    const document = await collectParts(
      pool.prepare(
        {
          source: partsOf(content.bytes),
          byteCount: content.bytes.length,
          mediaType: content.mediaType,
          filename: name,
          title: null,
          chunking: { chunkTokensMax: 400, overlapTokens: 60 },
          language: 'english',
        },
        () => undefined,
        new AbortController().signal,
      ),
    );
    expect(document.chunks.length).toBeGreaterThan(0);
    for (const { text, start, end } of document.chunks) expect(document.text.slice(start, end)).toBe(text);
    return { code: 'ready', message: content.mediaType };
  } catch (error) {
    if (isRagError(error)) return { code: error.code, message: error.message };
    throw new Error(`${name} failed unforeseen`, { cause: error });
  }
}

async function* partsOf(bytes: Buffer): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < bytes.length; start += 1_048_576)
    yield bytes.subarray(start, start + 1_048_576);
}

async function madeFiles(): Promise<TestFile[]> {
  const paragraphs = ['The pump is greased every week.', 'A worn seal is replaced at once, by two people.'];
  const pages = Array.from({ length: 4 }, (_, page) => ({ heading: `Part ${page}`, paragraphs }));
  const cells = [1, 2, 3].map(
    (n) => `<row><c t="inlineStr"><is><t>pump ${n}</t></is></c><c><v>${n}</v></c></row>`,
  );
  const mail = await new MailComposer({
    from: 'Ada <ada@pumps.test>',
    to: 'bo@pumps.test',
    subject: 'Öl 油',
    text: paragraphs.join('\n\n'),
    html: `<p>${paragraphs.join('</p><p>')}</p>`,
    attachments: [{ filename: 'plan.pdf', content: 'x'.repeat(500) }],
  })
    .compile()
    .build();
  const book = [1, 2].map((number) => ({
    path: `chapter ${number}.xhtml`,
    title: `Chapter ${number}`,
    html: `<h1 id="start">Chapter ${number}</h1><p>${paragraphs.join('</p><p>')}</p>`,
  }));
  const texts: Record<string, string> = {
    'notes.md': `---\ntitle: Notes\ntags: [oil, water]\n---\n# Pumps\n\n${paragraphs.join('\n\n')}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n`,
    'notes.txt': paragraphs.join('\n\n'),
    'page.html': `<!doctype html><html><head><title>Pumps</title></head><body><nav>Home</nav><main><h1>Pumps</h1><p>${paragraphs.join('</p><p>')}</p><table><tr><th>a</th></tr><tr><td>1</td></tr></table></main></body></html>`,
    'pumps.csv': `pump,bought,oil\n${Array.from({ length: 50 }, (_, n) => `P-${n},2024-02-${(n % 28) + 1},"${n} l"`).join('\n')}\n`,
    'pumps.json': JSON.stringify({
      pumps: [
        { id: 1, address: { city: 'London' } },
        { id: 2, oil: ['a', 'b'] },
      ],
    }),
    'pumps.jsonl': Array.from({ length: 30 }, (_, n) =>
      JSON.stringify({ id: n, text: paragraphs[n % 2] }),
    ).join('\n'),
    'pump.py': `class Pump:\n    """A pump."""\n\n    def grease(self, week: int) -> None:\n        print(f"greased in {week}")\n\n\ndef main():\n    Pump().grease(1)\n`,
    'pump.ts': `export class Pump {\n  grease(week: number): string {\n    return \`greased in \${week}\`;\n  }\n}\n`,
  };
  return [
    { name: 'handbook.pdf', bytes: await makePdf(pages, { title: 'Handbook', running: 'Pumps' }) },
    { name: 'scan.pdf', bytes: await makeScannedPdf() },
    {
      name: 'letter.docx',
      bytes: makeDocx(
        docxParagraph('Pumps', 'Heading1') + paragraphs.map((text) => docxParagraph(text)).join(''),
      ),
    },
    {
      name: 'talk.pptx',
      bytes: makePptx([pptxShape(['Pumps'], 'title') + pptxShape(paragraphs), pptxShape(['End'])]),
    },
    {
      name: 'pumps.xlsx',
      bytes: makeXlsx([{ name: 'Pumps', xml: `<sheetData>${cells.join('')}</sheetData>` }]),
    },
    { name: 'book2.epub', bytes: makeEpub(book, { version: 2 }) },
    { name: 'book3.epub', bytes: makeEpub(book) },
    { name: 'mail.eml', bytes: mail },
    { name: 'files.zip', bytes: makeZip() },
    ...Object.entries(texts).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
  ];
}

/** By other programs: of the project, and of packages that it has for its tests. */
async function realFiles(): Promise<TestFile[]> {
  const folders = [
    'samples',
    'test/fixtures',
    'node_modules/mammoth/test/test-data',
    'node_modules/@mixmark-io/domino/test/fixture',
  ];
  const files: TestFile[] = [];
  for (const folder of folders.map((path) => join(projectFolder, path)).filter(existsSync)) {
    for (const name of (await readdir(folder)).sort()) {
      if (!/\.(?:pdf|docx|pptx|xlsx|epub|eml|html|md|txt)$/.test(name)) continue;
      const bytes = await readFile(join(folder, name));
      if (bytes.length <= FILE_BYTES_MAX) files.push({ name: basename(name), bytes });
    }
  }
  return files;
}

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { workerFile } from '#libs/project-files';
import { makePdf } from '../../../../test/support/documents.js';
import { writeOverlappingZip, writeZip, writeZipOfEmptyFiles } from '../../../../test/support/hostile-zip.js';
import {
  catalog,
  deflated,
  drawn,
  onePage,
  writePdf,
  writePdfWithStreamTable,
} from '../../../../test/support/raw-pdf.js';

const MB = 1024 * 1024;
const text = 'Some text on a page of a strange file.';

/** In a process of its own. Processor time and memory, which a busy machine does not change. */
async function measured(
  how: 'archive' | 'pdf',
  bytes: Uint8Array,
): Promise<{ outcome: string; cpuMs: number; addedMb: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-bomb-'));
  try {
    await writeFile(join(folder, 'bomb'), bytes);
    const script = fileURLToPath(new URL('./__fixtures__/measured-reading.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [
      script,
      workerFile(import.meta.url, 'index').href,
      how,
      join(folder, 'bomb'),
    ]);
    return JSON.parse(stdout) as { outcome: string; cpuMs: number; addedMb: number };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As 42.zip: ZIPs in ZIPs, and at the bottom zeros. */
function nested(levels: number): Uint8Array {
  let inner: Uint8Array = writeZip([{ name: 'zeros', data: Buffer.alloc(64 * MB) }]);
  for (let level = 0; level < levels; level += 1) {
    inner = zipSync(Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`lib ${n}.zip`, inner])));
  }
  return inner;
}

describe('a ZIP bomb', () => {
  it.each<[what: string, bomb: () => Uint8Array, outcome: string]>([
    [
      'of 42 kB that stands for 5 GB',
      () => writeOverlappingZip(250, Buffer.alloc(21 * MB)),
      'document_too_large',
    ],
    ['whose members overlap', () => writeOverlappingZip(250, Buffer.alloc(MB)), 'document_unsafe'],
    ['of ZIPs in ZIPs', () => nested(4), 'nested_archive'],
    ['of a million members', () => writeZipOfEmptyFiles(1_000_000), 'document_too_large'],
    ['of one member', () => writeZip([{ name: 'zeros', data: Buffer.alloc(300 * MB) }]), 'document_unsafe'],
    ['that leads out', () => writeZip([{ name: '../../evil', data: Buffer.alloc(MB) }]), 'document_unsafe'],
    [
      'with a symbolic link',
      () =>
        writeZip([
          { name: 'link', data: Buffer.from('/etc'), claims: { attributes: (0o120777 << 16) >>> 0 } },
        ]),
      'document_unsafe',
    ],
  ])('%s is turned away within 1 s and 64 MB', async (_what, bomb, outcome) => {
    const taken = await measured('archive', bomb());
    expect(taken.outcome).toBe(outcome);
    expect(taken.cpuMs).toBeLessThan(1_000);
    expect(taken.addedMb).toBeLessThan(64);
  });
});

describe('a PDF bomb', () => {
  const many = Array.from({ length: 1_000_000 }, () => '<< /A 1 >>');
  it.each<[what: string, bomb: () => Uint8Array | Promise<Uint8Array>, outcome: string]>([
    ['deflated ten times over', () => writePdf(onePage(deflated(Buffer.alloc(MB), 10))), 'document_unsafe'],
    [
      'of 500 MB in a page',
      () => writePdf(onePage(deflated(Buffer.alloc(500 * MB), 1))),
      'document_too_large',
    ],
    ['of a million objects', () => writePdf(onePage(drawn(text), { more: many })), text],
    [
      'whose pages are their own children',
      () => writePdf([catalog, '<< /Type /Pages /Kids [2 0 R] /Count 1 >>']),
      'document_damaged',
    ],
    [
      'with a page of astronomic size',
      () => writePdf(onePage(drawn(text), { mediaBox: '[0 0 1e30 1e30]' })),
      text,
    ],
    ['with a password', () => makePdf([{ paragraphs: ['x'] }], { password: 'secret' }), 'document_encrypted'],
    [
      'that breaks off',
      async () => (await makePdf([{ paragraphs: [text] }])).subarray(0, -200),
      'document_damaged',
    ],
    [
      'whose table names a billion objects',
      () => writePdfWithStreamTable(onePage(drawn(text)), 1e9),
      'document_damaged',
    ],
  ])('%s ends in its text or a code within 10 s', async (_what, bomb, outcome) => {
    const taken = await measured('pdf', await bomb());
    expect(taken.outcome).toBe(outcome);
    expect(taken.cpuMs).toBeLessThan(10_000);
  });
});

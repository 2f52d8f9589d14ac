import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { docxParagraph, makeDocx, makeZip } from '../../../../test/support/documents.js';
import {
  writeOverlappingZip,
  writeZip,
  writeZipOfEmptyFiles,
  type ZipEntry,
} from '../../../../test/support/hostile-zip.js';
import { type ArchiveMember, isArchive, openArchive } from './archive.js';

const MB = 1024 * 1024;
const note = strToU8('a note');

async function read(bytes: Uint8Array, unpackedBytesMax = 100 * MB): Promise<ArchiveMember[]> {
  const members: ArchiveMember[] = [];
  for await (const member of openArchive(bytes, { unpackedBytesMax, memberBytesMax: 30 * MB }))
    members.push(member);
  return members;
}

const named = (name: string, claims: ZipEntry['claims'] = {}) => writeZip([{ name, data: note, claims }]);

describe('openArchive', () => {
  it('gives the files with their content, in order, and passes over folders and hidden files', async () => {
    const zip = zipSync({
      'a.txt': note,
      'folder/b.md': [strToU8('# B'), { level: 0 }],
      'folder/empty/': new Uint8Array(),
      '__MACOSX/._a.txt': note,
      '.git/config': note,
      'folder/.hidden': note,
      'Thumbs.db': note,
      'größe.txt': note,
    });
    const members = await read(zip);
    expect(members.map(({ path }) => path)).toEqual(['a.txt', 'folder/b.md', 'größe.txt']);
    expect(members.map((member) => 'bytes' in member && Buffer.from(member.bytes).toString())).toEqual([
      'a note',
      '# B',
      'a note',
    ]);
  });

  it('reads names in UTF-8 without the flag that says so', async () => {
    const [member] = await read(
      writeZip([{ name: Buffer.from('数据.txt'), data: note, claims: { flags: 0 } }]),
    );
    expect(member!.path).toBe('数据.txt');
  });

  it('names an archive inside without opening it, and gives documents that are packed as ZIP', async () => {
    const docx = makeDocx(docxParagraph('x'));
    const members = await read(
      zipSync({ 'inner.zip': makeZip(), 'inner.bin': makeZip(), 'letter.docx': docx }),
    );
    expect(members).toEqual([
      { path: 'inner.zip', skipped: 'nested_archive' },
      { path: 'inner.bin', skipped: 'nested_archive' },
      { path: 'letter.docx', bytes: Buffer.from(docx) },
    ]);
    expect(await isArchive(makeZip())).toBe(true);
    expect(await isArchive(docx)).toBe(false);
    expect(await isArchive(note)).toBe(false);
  });

  it('names a member that it can not unpack, and the second of two with one path', async () => {
    const members = await read(
      writeZip([
        { name: 'a.txt', data: note },
        { name: 'a.txt', data: strToU8('another') },
        { name: 'b.txt', data: note, claims: { method: 99 } },
      ]),
    );
    expect(members).toEqual([
      { path: 'a.txt', bytes: Buffer.from(note) },
      { path: 'a.txt', skipped: 'duplicate_path' },
      { path: 'b.txt', skipped: 'unknown_compression' },
    ]);
  });

  it('names a member that is larger than a document may be, without unpacking it', async () => {
    // What it really holds is damaged: it is not looked at.
    const claims = { unpackedBytes: 31 * MB, crc32: 1 };
    const members = await read(
      writeZip([
        { name: 'large.txt', data: note, claims },
        { name: 'a.txt', data: note },
      ]),
    );
    expect(members).toEqual([
      { path: 'large.txt', skipped: 'too_large', unpackedBytes: 31 * MB },
      { path: 'a.txt', bytes: Buffer.from(note) },
    ]);
  });

  it.each([
    ['a path upwards', named('../evil.txt')],
    ['a path upwards inside', named('folder/../../evil.txt')],
    ['a path upwards with backslashes', named('..\\..\\evil.txt')],
    ['an absolute path', named('/etc/passwd')],
    ['a path with a drive', named('C:\\evil.txt')],
    ['a path with a NUL character', named('a.txt\0.zip')],
    ['a symbolic link', named('link', { attributes: (0o120777 << 16) >>> 0 })],
    ['members that overlap', writeOverlappingZip(250, Buffer.alloc(300_000))],
    [
      'a member that unpacks to 1000 times its size',
      writeZip([{ name: 'zeros', data: Buffer.alloc(40 * MB) }]),
    ],
  ])('refuses %s', async (_what, zip) => {
    await expect(read(zip)).rejects.toMatchObject({ code: 'document_unsafe' });
  });

  it.each([
    ['more than 10,000 members', writeZip(Array.from({ length: 10_001 }, (_, n) => ({ name: `${n}` })))],
    ['a million members', writeZipOfEmptyFiles(1_000_000)],
    [
      'more bytes than the limit, each member below it',
      writeZip(Array.from({ length: 5 }, (_, n) => ({ name: `${n}`, data: Buffer.alloc(21 * MB) }))),
    ],
    [
      '4.5 GB by its directory',
      writeZip(
        Array.from({ length: 16 }, (_, n) => ({
          name: `${n}`,
          data: note,
          claims: { unpackedBytes: 0xfffffff0 },
        })),
      ),
    ],
  ])('refuses %s', async (_what, zip) => {
    await expect(read(zip)).rejects.toMatchObject({ code: 'document_too_large' });
  });

  it('unpacks no byte more than the directory gives a member', async () => {
    const bomb = writeZip([{ name: 'zeros', data: Buffer.alloc(64 * MB), claims: { unpackedBytes: 1_000 } }]);
    await expect(read(bomb)).rejects.toMatchObject({ code: 'document_damaged' });
  });

  it('refuses encrypted members', async () => {
    await expect(read(named('a.txt', { flags: 0x801 }))).rejects.toMatchObject({
      code: 'document_encrypted',
    });
  });

  it.each([
    ['cut off', makeZip().subarray(0, 60)],
    ['empty', new Uint8Array()],
    ['of other content', Buffer.from('no archive at all')],
    ['with a false checksum', named('a.txt', { crc32: 1 })],
    ['with a member that is shorter than it says', named('a.txt', { unpackedBytes: 100 })],
    ['with garbage for data', writeZip([{ name: 'a', data: note }]).fill(0xff, 31, 34)],
  ])('says that an archive %s is damaged', async (_what, zip) => {
    await expect(read(zip)).rejects.toMatchObject({ code: 'document_damaged' });
  });

  it('reads an archive whatever byte of it is changed, or says why not', async () => {
    const zip = zipSync({ 'a.txt': note, 'b.txt': strToU8('b'.repeat(500)) });
    for (let offset = 0; offset < zip.length; offset += 1) {
      for (const value of [0, 0xff, zip[offset]! ^ 0x01]) {
        const changed = zip.with(offset, value);
        const outcome = await read(changed).catch((error: { code?: string }) => error.code);
        expect(outcome, `byte ${offset} = ${value}`).toBeDefined();
      }
    }
  });

  it('is not held up by a long run of what could be an end of a directory', async () => {
    const bytes = Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(5 * MB, 'PK\u0005\u0006')]);
    await expect(read(bytes)).rejects.toMatchObject({ code: 'document_damaged' });
  });
});

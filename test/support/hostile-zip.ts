import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  name: string | Buffer;
  data?: Uint8Array;
  /** What the headers say in place of the truth. */
  claims?: { unpackedBytes?: number; method?: number; flags?: number; attributes?: number; crc32?: number };
}

/** A ZIP written byte by byte, so that it can lie. */
export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const body = localFile(entry);
    bodies.push(body.bytes);
    directory.push(directoryEntry(entry, body.packedBytes, offset));
    offset += body.bytes.length;
  }
  return Buffer.concat([
    ...bodies,
    ...directory,
    endOfDirectory(entries.length, Buffer.concat(directory).length, offset),
  ]);
}

/** Many names for one and the same data, as in a ZIP bomb without recursion. */
export function writeOverlappingZip(names: number, data: Uint8Array): Buffer {
  const body = localFile({ name: 'kernel', data });
  const directory = Array.from({ length: names }, (_, index) =>
    directoryEntry({ name: `copy-${index}`, data }, body.packedBytes, 0),
  );
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([body.bytes, ...directory, endOfDirectory(names, size, body.bytes.length)]);
}

/** A directory of empty files, with the ZIP64 records that more than 65,535 need. */
export function writeZipOfEmptyFiles(count: number): Buffer {
  const entry = { name: 'f', data: new Uint8Array() };
  const body = localFile(entry);
  const one = directoryEntry(entry, body.packedBytes, 0);
  const size = one.length * count;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(body.bytes.length), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(body.bytes.length + size), 8);
  locator.writeUInt32LE(1, 16);
  const directory = Buffer.alloc(size, one);
  return Buffer.concat([
    body.bytes,
    directory,
    end64,
    locator,
    endOfDirectory(0xffff, 0xffffffff, 0xffffffff),
  ]);
}

function localFile({ name, data = new Uint8Array(), claims = {} }: ZipEntry): {
  bytes: Buffer;
  packedBytes: number;
} {
  const packed = deflateRawSync(data);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(claims.flags ?? 0x800, 6);
  header.writeUInt16LE(claims.method ?? 8, 8);
  header.writeUInt32LE(claims.crc32 ?? crc32(data), 14);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt32LE(claims.unpackedBytes ?? data.length, 22);
  header.writeUInt16LE(Buffer.from(name).length, 26);
  return { bytes: Buffer.concat([header, Buffer.from(name), packed]), packedBytes: packed.length };
}

function directoryEntry(
  { name, data = new Uint8Array(), claims = {} }: ZipEntry,
  packedBytes: number,
  offset: number,
): Buffer {
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE((3 << 8) | 20, 4);
  entry.writeUInt16LE(20, 6);
  entry.writeUInt16LE(claims.flags ?? 0x800, 8);
  entry.writeUInt16LE(claims.method ?? 8, 10);
  entry.writeUInt32LE(claims.crc32 ?? crc32(data), 16);
  entry.writeUInt32LE(packedBytes, 20);
  entry.writeUInt32LE(claims.unpackedBytes ?? data.length, 24);
  entry.writeUInt16LE(Buffer.from(name).length, 28);
  entry.writeUInt32LE(claims.attributes ?? 0, 38);
  entry.writeUInt32LE(offset, 42);
  return Buffer.concat([entry, Buffer.from(name)]);
}

function endOfDirectory(count: number, size: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, 0xffff), 8);
  end.writeUInt16LE(Math.min(count, 0xffff), 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}

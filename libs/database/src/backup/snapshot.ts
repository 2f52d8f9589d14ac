import { openAsBlob } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { PGlite } from '@electric-sql/pglite';
import { pg_textsearch } from '@electric-sql/pglite-pg_textsearch';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const extensions = { vector, pg_textsearch };
const COPY_PART_CHARACTERS = 8 * 1024 * 1024;

export type BackupFormat = 'snapshot' | 'pg_dump';

/** By the first bytes: gzip, or pg_dump's custom format. Null for anything else. */
export async function formatOf(file: string): Promise<BackupFormat | null> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(5), 0, 5, 0);
    const start = buffer.subarray(0, bytesRead);
    if (start.toString() === 'PGDMP') return 'pg_dump';
    return start[0] === 0x1f && start[1] === 0x8b ? 'snapshot' : null;
  } finally {
    await handle.close();
  }
}

/** The data folder as a gzipped tar. */
export async function takeSnapshot(databaseFolder: string): Promise<Readable> {
  const database = await PGlite.create({ dataDir: databaseFolder, extensions });
  try {
    const blob = await database.dumpDataDir('gzip');
    return Readable.fromWeb(blob.stream());
  } finally {
    await database.close();
  }
}

/** @param databaseFolder must not exist */
export async function unpackSnapshot(file: string, databaseFolder: string): Promise<void> {
  const loadDataDir = await openAsBlob(file);
  const database = await PGlite.create({ dataDir: databaseFolder, loadDataDir, extensions });
  await database.close();
}

/** The database of a snapshot on a loopback port, for the time of `work`; it is given a URL. */
export async function serveSnapshot(file: string, work: (url: string) => Promise<void>): Promise<void> {
  const database = await PGlite.create({ loadDataDir: await openAsBlob(file), extensions });
  try {
    const port = await freePort();
    const server = new PGLiteSocketServer({ db: database, port, host: '127.0.0.1' });
    await server.start();
    try {
      await work(`postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`);
    } finally {
      await server.stop();
    }
  } finally {
    await database.close();
  }
}

/**
 * Runs a script that pg_restore wrote. PGlite takes no data over `copy ... from stdin`, so the lines of each are handed
 * over in parts as its /dev/blob.
 */
export async function runDumpScript(databaseFolder: string, script: Readable): Promise<void> {
  const database = await PGlite.create({ dataDir: databaseFolder, extensions });
  try {
    await database.exec(
      'create extension if not exists vector; create extension if not exists pg_textsearch',
    );
    let copy: string | null = null;
    let lines: string[] = [];
    let size = 0;
    const flush = async () => {
      const text = lines.join('\n');
      lines = [];
      size = 0;
      if (text === '') return;
      if (copy) await database.query(copy, [], { blob: new Blob([text, '\n']) });
      else await database.exec(text);
    };
    for await (const line of linesOf(script)) {
      if (copy ? line === String.raw`\.` : /^\\(un)?restrict /.test(line)) {
        await flush();
        copy = null;
        continue;
      }
      const start: RegExpExecArray | null = copy ? null : /^(COPY .+) FROM stdin;$/.exec(line);
      if (start) {
        await flush();
        copy = `${start[1]} from '/dev/blob'`;
        continue;
      }
      lines.push(line);
      size += line.length;
      if (copy && size > COPY_PART_CHARACTERS) await flush();
    }
    await flush();
  } finally {
    await database.close();
  }
}

/** Lines end with LF and nothing else: readline would also split at U+2028, which stands in texts. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of stream) {
    const lines = (rest + decoder.decode(part as Buffer, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

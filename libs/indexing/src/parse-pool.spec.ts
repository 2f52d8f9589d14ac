import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { currentTenant, runAsTenant } from '#libs/database';
import { workerFile } from '#libs/project-files';
import { waitFor } from '../../../test/support/wait-for.js';
import { isPoison, ParsePool, type ParsePoolOptions } from './parse-pool.js';
import { collectParts, type PreparedPart, type PrepareTask } from './prepared-part.js';

const fixture = (name: string) => new URL(`./parser-process/__fixtures__/${name}`, import.meta.url);
const never = () => new AbortController().signal;
const ignore = () => undefined;
const isLinux = existsSync('/proc/self/stat');

const pools: ParsePool[] = [];

function open(options: ParsePoolOptions = {}): ParsePool {
  const pool = new ParsePool(options);
  pools.push(pool);
  return pool;
}

/** A pool whose parsers do what the name of the document says. */
const misbehaving = (options: ParsePoolOptions = {}) =>
  open({ entry: fixture('misbehaving-parser.mjs'), ...options });

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text);
}

const task = (filename: string, text = 'text'): PrepareTask => ({
  source: bytesOf(text),
  byteCount: text.length,
  mediaType: 'text/plain',
  filename,
  title: null,
  chunking: { chunkTokensMax: 400, overlapTokens: 60 },
  language: 'english',
});

const read = (pool: ParsePool, filename: string) =>
  collectParts(pool.prepare(task(filename), ignore, never()));

const failureOf = (reading: Promise<unknown>) =>
  reading.then(
    () => {
      throw new Error('the document was read');
    },
    (error: unknown) => error,
  );

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return !isLinux || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
};

describe('ParsePool', () => {
  it('reads each source as its own tenant, whoever had the process before', async () => {
    const pool = open({ parsers: 1 });
    const readers: string[] = [];
    async function* source(): AsyncGenerator<Uint8Array, void> {
      readers.push(currentTenant());
      yield Buffer.from('A text.');
    }
    const tenants = [randomUUID(), randomUUID()];
    for (const tenant of tenants) {
      await runAsTenant(tenant, () =>
        collectParts(pool.prepare({ ...task('a.txt'), source: source() }, ignore, never())),
      );
    }
    expect(readers).toEqual(tenants);
  });

  it('gives the chunks of a document and reads the next one in the same process', async () => {
    const pool = open();
    const [first, second] = [
      await collectParts(pool.prepare(task('a.txt', 'One paragraph.\n\nAnother.'), ignore, never())),
      await collectParts(pool.prepare(task('b.txt', 'A third.'), ignore, never())),
    ];
    expect(first).toMatchObject({ title: 'a', text: 'One paragraph.\n\nAnother.', language: 'english' });
    expect(first.chunks.map(({ text }) => text)).toEqual(['One paragraph.\n\nAnother.']);
    expect(first.chunks[0]!.embeddingSha256).toHaveLength(32);
    expect(second.chunks.map(({ text }) => text)).toEqual(['A third.']);

    const other = misbehaving();
    expect((await read(other, 'well')).text).toBe((await read(other, 'well')).text);
  });

  it.each([
    ['loops', 'loop', 'parse_timeout', { cpuMs: 500 }],
    ['waits for ever', 'sleep', 'parse_timeout', { wallMs: 500 }],
    ['fills the heap', 'heap', 'document_too_large', { heapMbMax: 64 }],
    ['takes memory outside of the heap', 'buffers', 'document_too_large', { rssMbMax: 256 }],
    ['exits', 'exit', 'parser_crashed', {}],
    ['aborts', 'abort', 'parser_crashed', {}],
    ['throws', 'throw', 'parser_crashed', {}],
    ['fails unforeseen', 'reject', 'parser_crashed', {}],
  ])(
    'fails the one document whose parser %s, as poison, and reads the next',
    async (_, name, code, limits) => {
      const pool = misbehaving({ limits });
      const error = await failureOf(read(pool, name));
      expect(error).toMatchObject({ code, retryable: true });
      expect(isPoison(error)).toBe(true);
      expect(Number((await read(pool, 'well')).text)).toBeGreaterThan(0);
    },
  );

  it('passes on what a parser refuses by itself, which is no poison', async () => {
    const pool = misbehaving();
    const error = await failureOf(read(pool, 'refuse'));
    expect(error).toMatchObject({
      code: 'document_damaged',
      message: 'It is damaged.',
      retryable: false,
      details: { line: 7 },
    });
    expect(isPoison(error)).toBe(false);
  });

  it('blames no document when the parser does not start', async () => {
    const error = await failureOf(read(open({ entry: fixture('not-starting-parser.mjs') }), 'any'));
    expect(error).toMatchObject({ code: 'internal_error', retryable: true });
    expect(isPoison(error)).toBe(false);
    expect(String((error as Error).cause)).toContain('a file of the installation is missing');
  });

  it('hands a parser no secrets and no debugger', async () => {
    process.env['OPENAI_API_KEY'] = 'sk-secret';
    process.env['NODE_OPTIONS'] = '--inspect=0';
    try {
      const { text } = await read(misbehaving(), 'environment');
      const { environment, execArgv } = JSON.parse(text) as { environment: object; execArgv: string[] };
      expect(Object.keys(environment).filter((name) => /KEY|URL|OPTIONS|PATH/.test(name))).toEqual([]);
      expect(execArgv.join(' ')).not.toContain('inspect');
    } finally {
      delete process.env['OPENAI_API_KEY'];
      delete process.env['NODE_OPTIONS'];
    }
  });

  it.each(['loop', 'sleep', 'flood'])('ends a document at once when it is aborted (%s)', async (name) => {
    const pool = misbehaving();
    const { text: pid } = await read(pool, 'well');
    const cancel = new AbortController();
    const reading = failureOf(
      collectParts(pool.prepare(task(name), ignore, cancel.signal)).then(() => undefined),
    );
    setTimeout(() => cancel.abort(new Error('cancelled')), 50);
    expect(await reading).toMatchObject({ message: 'cancelled' });
    await waitFor('the parser to end', () => !isAlive(Number(pid)));
    expect((await read(pool, 'well')).text).not.toBe(pid);
  });

  it('lets a document that waits for its turn be aborted', async () => {
    const pool = misbehaving();
    const [first, second] = [new AbortController(), new AbortController()];
    const looping = failureOf(collectParts(pool.prepare(task('loop'), ignore, first.signal)));
    const waiting = failureOf(collectParts(pool.prepare(task('well'), ignore, second.signal)));
    const last = read(pool, 'well');
    second.abort(new Error('not needed'));
    expect(await waiting).toMatchObject({ message: 'not needed' });
    first.abort(new Error('enough'));
    expect(await looping).toMatchObject({ message: 'enough' });
    expect(Number((await last).text)).toBeGreaterThan(0);
  });

  it('reads as many documents at a time as it has parsers', async () => {
    const pool = misbehaving({ parsers: 2 });
    const cancel = new AbortController();
    const looping = failureOf(collectParts(pool.prepare(task('loop'), ignore, cancel.signal)));
    expect(Number((await read(pool, 'well')).text)).toBeGreaterThan(0);
    cancel.abort(new Error('enough'));
    await looping;
  });

  it('makes parts a few ahead of a slow reader and no more, and ends when the reader leaves', async () => {
    const pool = misbehaving();
    let made = 0;
    const parts = pool.prepare(task('flood'), (done) => (made = done), never());
    const ahead = 4;
    for (let taken = 1; taken <= 20; taken += 1) {
      await parts.next();
      await waitFor('the parser to go ahead', () => made === taken + ahead);
    }
    // A message that the parser answers has overtaken any part that it would have made without leave.
    expect(made).toBe(20 + ahead);
    await parts.return(undefined);
    expect(Number((await read(pool, 'well')).text)).toBeGreaterThan(0);
  });

  it('does not count the time that the reader takes', async () => {
    const pool = misbehaving({ limits: { wallMs: 1_000 } });
    const parts = pool.prepare(task('flood'), ignore, never());
    await parts.next();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const next = (await parts.next()).value as PreparedPart;
    expect(next.kind).toBe('chunks');
    await parts.return(undefined);
  });

  it('passes on the failure of a source, and takes no more of it than is asked for', async () => {
    let asked = 0;
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      for (; asked < 3; asked += 1) yield Buffer.from('word '.repeat(1_000));
      throw new Error('the database is away');
    }
    const pool = open();
    const reading = collectParts(
      pool.prepare({ ...task('a.txt'), source: failing(), byteCount: 20_000 }, ignore, never()),
    );
    expect(await failureOf(reading)).toMatchObject({ message: 'the database is away' });
    expect(asked).toBe(3);
  });

  it('replaces a process that has read enough, or has grown', async () => {
    for (const limits of [{ documentsMax: 1 }, ...(isLinux ? [{ restingRssMbMax: 1 }] : [])]) {
      const pool = misbehaving({ limits });
      expect((await read(pool, 'well')).text).not.toBe((await read(pool, 'well')).text);
    }
  });

  it('ends a process that is not used', async () => {
    const { text: pid } = await read(misbehaving({ limits: { idleMs: 10 } }), 'well');
    expect(await waitFor('the parser to end', () => !isAlive(Number(pid)))).toBe(true);
  });

  it.each(['closes', 'leaves'])('keeps no process alive that %s its pool', async (how) => {
    const pool = fileURLToPath(workerFile(import.meta.url, 'parse-pool'));
    const entry = fixture('misbehaving-parser.mjs').href;
    const user = spawn(process.execPath, [fileURLToPath(fixture('pool-user.mjs')), pool, entry, how]);
    let output = '';
    user.stdout.on('data', (text: Buffer) => (output += text.toString()));
    const code = await new Promise((resolve) => user.once('close', resolve));
    expect({ output, code }).toEqual({ output: `read\n${how}\n`, code: 0 });
  });

  it.each([
    ['waits', [fileURLToPath(workerFile(import.meta.url, 'parser-process/parser.worker'))]],
    [
      'is busy',
      [
        fileURLToPath(fixture('guarded-loop.mjs')),
        fileURLToPath(workerFile(import.meta.url, 'parser-process/parent-guard.worker')),
      ],
    ],
  ])('leaves no parser behind that %s when it is killed', async (_, program) => {
    const parent: ChildProcess = spawn(process.execPath, [fileURLToPath(fixture('parent.mjs')), ...program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout!.once('data', (line: Buffer) => resolve(Number(line.toString())));
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitFor('the parser to end', () => !isAlive(pid));
  });
});

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { newDatabaseName, startServerApi } from '../support/server-api.js';
import { ServerProcess } from '../support/server-process.js';
import {
  createTestDatabase,
  serverMissing,
  stack,
  stackEnvironment,
  type TestDatabase,
} from '../support/stack.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

const QUERIES = 50;
const DOCUMENTS = 80;

/** Ragstone's own command line; throws with its output when it fails. */
async function ragstone(args: string[], environment: Record<string, string>): Promise<string> {
  const { PG_DUMP = '', PG_RESTORE = '' } = stackEnvironment ?? {};
  const command = ServerProcess.run(['dist/apps/cli/src/main.js', ...args], {
    PG_DUMP,
    PG_RESTORE,
    ...environment,
  });
  await command.ended();
  if (command.exitCode !== 0) throw new Error(command.output);
  return command.output;
}

/** Sentences of the samples, each a document. */
async function sentencesOfSamples(): Promise<string[]> {
  const folder = join(projectFolder, 'samples');
  const names = (await readdir(folder)).filter((name) => /\.(md|txt)$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const sentences = texts.flatMap((text) => text.split(/\n\s*\n|(?<=\.)\s+|(?<=。)/));
  // What ends a line for some readers and not for PostgreSQL.
  sentences.unshift(
    'A lighthouse keeper\u2028writes \\N and \\. and\u2029COPY public.t (a) FROM stdin; into the log.',
  );
  return [...new Set(sentences)].filter((text) => /^\p{L}.{40}/u.test(text)).slice(0, DOCUMENTS);
}

/** The ten best chunks for each of 50 questions. */
async function answers(api: TestApi, texts: string[]): Promise<string[][]> {
  const found: string[][] = [];
  for (const text of texts.slice(0, QUERIES)) {
    const question = text.split(/[.。]/, 1)[0]!.slice(0, 200);
    const { body } = await api.client.post<{ sources: { chunk_ids: string[] }[] }>('/search', {
      question,
      top_k: 10,
    });
    found.push(body.sources.flatMap(({ chunk_ids }) => chunk_ids));
  }
  return found;
}

describe('backup and restore', () => {
  let folder: string;
  let texts: string[];
  let expected: string[][];
  const servers: TestDatabase[] = [];
  const file = (name: string) => join(folder, name);
  const embedded = (name: string) => ({ DATA_DIR: join(folder, name) });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragstone-backup-'));
    texts = await sentencesOfSamples();
    if (texts.length < QUERIES) throw new Error('the samples have too few sentences');
    const api = await startTestApi(embedded('original'));
    try {
      for (const [n, text] of texts.entries()) {
        await api.client.indexText(text, { external_id: `p${n}`, metadata: { n } });
      }
      expected = await answers(api, texts);
    } finally {
      await api.close();
    }
    await ragstone(['backup', file('embedded.backup')], embedded('original'));
  }, 240_000);

  afterAll(async () => {
    for (const server of servers) await server.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const newServer = async () => {
    const server = await createTestDatabase(newDatabaseName());
    servers.push(server);
    return server;
  };
  const urls = ({ url, directUrl }: TestDatabase) => ({ DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl });

  async function expectSameAnswers(api: TestApi) {
    try {
      expect(await answers(api, texts)).toEqual(expected);
      const more = await api.client.indexText('After the restore a lighthouse was painted red.');
      const { body } = await api.client.post<{ sources: { document_id: string }[] }>('/search', {
        question: 'Which lighthouse was painted red?',
      });
      expect(body.sources[0]!.document_id).toBe(more.document_id);
    } finally {
      await api.close();
    }
  }

  it('a snapshot of the data folder answers as the original, and takes new documents', async () => {
    expect(await ragstone(['restore', file('embedded.backup')], embedded('copy'))).toContain('Restored');
    await expectSameAnswers(await startTestApi(embedded('copy')));
  });

  it('an embedded backup moves onto a server, and the server’s backup onto another and back to embedded', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const first = await newServer();
    await ragstone(['restore', file('embedded.backup')], urls(first));
    await ragstone(['backup', file('server.backup')], urls(first));
    const second = await newServer();
    await ragstone(['restore', file('server.backup')], urls(second));
    await ragstone(['restore', file('server.backup')], embedded('back'));
    await expectSameAnswers(await startServerApi({}, first));
    await expectSameAnswers(await startServerApi({}, second));
    await expectSameAnswers(await startTestApi(embedded('back')));
  }, 240_000);

  it('passes its own drill, embedded and on a server, and leaves nothing of it behind', async (context) => {
    const report = await ragstone(['drill', '--file', file('drill.backup')], embedded('original'));
    expect(report).toContain('tables, the same');
    expect(report).toContain('50, 100.0 % of the sources the same');
    expect(report).toContain('The backup can be restored');
    if (serverMissing) context.skip(serverMissing);
    const server = await newServer();
    await ragstone(['restore', file('drill.backup')], urls(server));
    const onServer = await ragstone(['drill', '--searches', '20'], urls(server));
    expect(onServer).toContain('20, 100.0 % of the sources the same');
    const [, name] = /into (ragstone_drill_\w+) in/.exec(onServer)!;
    const left = stack('psql', '-At', '-d', 'postgres', '-c', 'select datname from pg_database');
    expect(left.split('\n')).not.toContain(name);
  }, 240_000);

  it('fails a drill whose restored database is not the original', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const server = await newServer();
    await ragstone(['restore', file('embedded.backup')], urls(server));
    // A pg_restore that loses rows.
    const forgetful = file('forgetful-restore');
    const script = join(projectFolder, 'scripts', 'stack');
    await writeFile(
      forgetful,
      `#!/bin/sh
${stackEnvironment!.PG_RESTORE} "$@" || exit 1
for last; do :; done
exec ${script} psql -q -d "\${last##*/}" -c "delete from chunks"
`,
    );
    await chmod(forgetful, 0o755);
    const drill = ragstone(['drill', '--searches', '5'], { ...urls(server), PG_RESTORE: forgetful });
    await expect(drill).rejects.toThrow('chunks: 80, restored 0');
  });

  it('leaves no half database behind when the backup is cut off, and takes the whole one afterwards', async () => {
    const whole = await readFile(file('embedded.backup'));
    await writeFile(file('cut.backup'), whole.subarray(0, whole.length / 2));
    await expect(ragstone(['restore', file('cut.backup')], embedded('cut'))).rejects.toThrow(/\S/);
    expect(await readdir(join(folder, 'cut'))).not.toContain('postgres');
    await ragstone(['restore', file('embedded.backup')], embedded('cut'));
    const folders = await readdir(join(folder, 'cut'));
    expect(folders).toContain('postgres');
    expect(folders).not.toContain('postgres.part');
  });

  it('overwrites nothing', async () => {
    await expect(ragstone(['restore', file('embedded.backup')], embedded('original'))).rejects.toThrow(
      'has a database already',
    );
  });

  it('overwrites no tables on a server', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const server = await newServer();
    await ragstone(['migrate'], urls(server));
    await expect(ragstone(['restore', file('embedded.backup')], urls(server))).rejects.toThrow(
      'has tables of Ragstone already',
    );
  });

  it('says what is wrong: a service that runs, a file that is none, a program that is missing', async (context) => {
    const api = await startTestApi(embedded('busy'));
    try {
      await expect(ragstone(['backup', file('x')], embedded('busy'))).rejects.toThrow('in use');
    } finally {
      await api.close();
    }
    await writeFile(file('text'), 'hello');
    await expect(ragstone(['restore', file('text')], embedded('new'))).rejects.toThrow('is not a backup');
    await expect(ragstone(['restore', file('nothing')], embedded('new'))).rejects.toThrow('There is no file');
    if (serverMissing) context.skip(serverMissing);
    const server = await newServer();
    await expect(
      ragstone(['backup', file('y')], { ...urls(server), PG_DUMP: 'no-such-program' }),
    ).rejects.toThrow('PG_DUMP');
    await expect(stat(file('y'))).rejects.toThrow('ENOENT');
    await expect(stat(file('y.part'))).rejects.toThrow('ENOENT');
  });
});

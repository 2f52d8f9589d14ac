import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeScannedPdf } from '../support/documents.js';
import { MockLlm } from '../mock-llm/index.js';
import type { JobView, RagstoneClient } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { embeddingsOf } from '../support/stores.js';

let folder: string;
let models: MockLlm;
let service: ServerProcess;
let client: RagstoneClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-cli-'));
  models = await MockLlm.start();
  service = ServerProcess.spawn({ ...embeddingsOf(models), DATA_DIR: join(folder, 'data') });
  client = await service.ready();
});
afterAll(async () => {
  await service?.stop();
  await models?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A command from its start to its end. */
async function ragstone(args: string[], environment: Record<string, string> = {}) {
  const command = ServerProcess.run(['dist/apps/cli/src/main.js', ...args], {
    ...embeddingsOf(models),
    DATA_DIR: join(folder, 'own-data'),
    ...environment,
  });
  await command.ended();
  return command;
}

async function writeFiles(name: string, files: Record<string, string | Uint8Array>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name, path)), { recursive: true });
    await writeFile(join(folder, name, path), content);
  }
  return join(folder, name);
}

async function documentsOf(collection: string) {
  const { body } = await client.get<{
    documents: { external_id: string; title: string; current_version: number | null }[];
  }>(`/documents?collection=${collection}&limit=200`);
  return body.documents.toSorted((a, b) => (a.external_id < b.external_id ? -1 : 1));
}

async function newCollection(name: string): Promise<string> {
  await client.post('/collections', { name });
  return name;
}

describe('ragstone index --url', () => {
  it('indexes a folder with all below it, says how each file ended, and fails when one failed', async () => {
    const collection = await newCollection('handbook');
    const handbook = await writeFiles('handbook', {
      'readme.md': '# Handbook\n\nAll rules of the harbour.',
      'north/rules.md': '# North\n\nNo swimming at the north pier.',
      'south/rules.md': '# South\n\nSwimming is fine at the south pier.',
      'scan.pdf': await makeScannedPdf(),
      'blank.txt': ' \n',
      '.hidden/secret.md': 'hidden',
      '.env': 'KEY=hidden',
      'photo.png': Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    });
    await symlink('/etc', join(handbook, 'link'));
    const args = ['index', handbook, '--url', client.url, '-c', collection, '--root', folder];
    const first = await ragstone(args);
    expect(first.output).toContain('Sent 5 files: job ');
    expect(first.output).toContain('3 ready, 0 unchanged, 2 failed, 1 left out (other formats)');
    expect(first.output).toMatch(/^failed: handbook\/scan\.pdf: no_text_layer: .{20,}/m);
    expect(first.output).toMatch(/^failed: handbook\/blank\.txt: document_empty: .{20,}/m);
    expect(first.exitCode).toBe(1);
    expect(await documentsOf(collection)).toMatchObject([
      { external_id: 'upload:handbook/blank.txt', current_version: null },
      { external_id: 'upload:handbook/north/rules.md', title: 'North' },
      { external_id: 'upload:handbook/readme.md', title: 'Handbook' },
      { external_id: 'upload:handbook/scan.pdf', current_version: null },
      { external_id: 'upload:handbook/south/rules.md', title: 'South' },
    ]);

    await rm(join(handbook, 'scan.pdf'));
    await writeFiles('handbook', {
      'blank.txt': 'Not blank any more.',
      'readme.md': '# Handbook\n\nNew rules.',
    });
    const second = await ragstone(args);
    expect(second.output).toContain('2 ready, 2 unchanged, 0 failed');
    expect(second.exitCode).toBe(0);
    const documents = await documentsOf(collection);
    expect(documents.map(({ current_version }) => current_version)).toEqual([2, 1, 2, null, 1]);
  });

  it('takes files by name, the address from RAGSTONE_URL, and fails on what can not be indexed', async () => {
    const collection = await newCollection('single');
    const files = await writeFiles('single', {
      'note.md': 'The only note.',
      'photo.png': Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    });
    const paths = [join(files, 'note.md'), join(files, 'photo.png')];
    const command = await ragstone(['index', ...paths, '-c', collection], { RAGSTONE_URL: `${client.url}/` });
    expect(command.output).toContain('1 ready, 0 unchanged, 1 failed');
    expect(command.output).toContain(`failed: ${paths[1]}: unsupported_media_type:`);
    expect(command.exitCode).toBe(1);
    // By whole paths, so that two folders of the same name are two.
    expect((await documentsOf(collection)).map(({ external_id }) => external_id)).toEqual([
      `upload:${paths[0]}`,
    ]);
    const missing = await ragstone(['index', join(files, 'nothing'), '--url', client.url]);
    expect(missing).toMatchObject({ exitCode: 1, output: expect.stringContaining('nothing') });
    const outside = await ragstone(['index', files, '--url', client.url, '--root', join(folder, 'handbook')]);
    expect(outside).toMatchObject({ exitCode: 1, output: expect.stringContaining('--root') });
  });

  it('sends many files in batches of at most 1,000', async () => {
    const collection = await newCollection('many');
    const names = Array.from({ length: 1_200 }, (_, n) => `${n}.txt`);
    const many = await writeFiles('many', Object.fromEntries(names.map((name) => [name, `File ${name}.`])));
    const command = await ragstone(['index', many, '--url', client.url, '-c', collection, '--no-wait']);
    expect(command.exitCode).toBe(0);
    const jobs = [...command.output.matchAll(/^Sent (\d+) files: job (\S+)$/gm)];
    expect(jobs.map(([, count]) => count)).toEqual(['1000', '200']);
    const { body } = await client.get<JobView>(`/jobs/${jobs[0]![2]}`);
    expect(body).toMatchObject({ kind: 'batch', total: 1_000 });
    for (const [, , id] of jobs) await client.call(`/jobs/${id}/cancel`);
  });

  it('says what to do when there is no service', async () => {
    const command = await ragstone(['index', folder, '--url', 'http://127.0.0.1:1']);
    expect(command).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('Ragstone does not answer on http://127.0.0.1:1'),
    });
  });

  it('says what the service says', async () => {
    const files = await writeFiles('elsewhere', { 'a.md': 'a' });
    const command = await ragstone(['index', files, '--url', client.url, '-c', 'nowhere']);
    expect(command).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('There is no collection named "nowhere"'),
    });
  });
});

describe('ragstone index embedded', () => {
  it('does the work in this process, and the documents stay', async () => {
    const files = await writeFiles('embedded', {
      'a.md': '# Buoys\n\nBuoys are red and green.',
      'b.md': 'B.',
    });
    const first = await ragstone(['index', files, '--url', 'embedded'], { RAGSTONE_URL: client.url });
    expect(first).toMatchObject({ exitCode: 0, output: expect.stringContaining('2 ready, 0 unchanged') });
    expect(first.output).toContain(`data in ${join(folder, 'own-data')}`);
    const second = await ragstone(['index', files]);
    expect(second).toMatchObject({ exitCode: 0, output: expect.stringContaining('0 ready, 2 unchanged') });
  });

  it('names the --url to use when a service has the data folder', async () => {
    const files = await writeFiles('locked', { 'a.md': 'a' });
    const environment = { DATA_DIR: join(folder, 'data'), PORT: '8123' };
    const command = await ragstone(['index', files], environment);
    expect(command.exitCode).toBe(1);
    expect(command.output).toContain(`in use by another Ragstone (process ${service.child.pid})`);
    expect(command.output).toContain('--url http://127.0.0.1:8123');
    const server = await ragstone(['index', files], { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
    expect(server).toMatchObject({ exitCode: 1, output: expect.stringContaining('--url') });
  });
});

describe('ragstone jobs', () => {
  it('lists, shows, retries and cancels', async () => {
    const collection = await newCollection('steered');
    models.outage = { status: 400, body: JSON.stringify({ error: { message: 'not in the mood' } }) };
    const documents = [{ text: 'One.' }, { text: 'Two.' }];
    const { body } = await client.post<{ job_id: string }>('/index/batch', { collection, documents });
    await client.jobEnd(body);
    models.outage = null;
    const url = ['--url', client.url];
    const listed = await ragstone(['jobs', 'list', ...url, '-c', collection, '--status', 'failed']);
    expect(listed.exitCode).toBe(0);
    expect(listed.output.trim().split('\n')).toHaveLength(3);
    expect(listed.output).toMatch(/index_document {2}failed .*model_rejected_request: .*not in the mood/);
    expect(listed.output).toMatch(/batch {2}failed 2\/2 documents {2}documents_failed: /);
    const shown = await ragstone(['jobs', 'show', body.job_id, ...url]);
    expect(JSON.parse(shown.output)).toMatchObject({ job_id: body.job_id, still_failing_count: 2 });

    expect((await ragstone(['jobs', 'retry', ...url])).output).toContain('Say which jobs');
    const retried = await ragstone(['jobs', 'retry', body.job_id, ...url]);
    expect(retried).toMatchObject({ exitCode: 0, output: '2 jobs are tried again\n' });
    expect((await client.jobEnd(body)).status).toBe('ready');
    const none = await ragstone(['jobs', 'retry', ...url, '--parent', body.job_id]);
    expect(none).toMatchObject({ exitCode: 0, output: '0 jobs are tried again\n' });
    const refused = await ragstone(['jobs', 'retry', body.job_id, ...url]);
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('nothing to try again') });

    models.hold();
    const open = await client.post<{ job_id: string }>('/index', { collection, text: 'Three.' });
    const cancelled = await ragstone(['jobs', 'cancel', open.body.job_id, ...url]);
    expect(cancelled).toMatchObject({ exitCode: 0, output: expect.stringContaining('cancelled') });
    models.release();
    const json = await ragstone([
      'jobs',
      'list',
      ...url,
      '--json',
      '--status',
      'cancelled',
      '-c',
      collection,
    ]);
    expect(JSON.parse(json.output)).toMatchObject([{ job_id: open.body.job_id, status: 'cancelled' }]);
  });
});

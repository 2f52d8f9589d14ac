import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RagstoneClient } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { diskMissing, SmallDisk } from '../support/small-disk.js';

const DISK_KB = 1_024;

describe('a disk for uploads that is full', () => {
  let folder: string;
  let disk: SmallDisk | null;
  let server: ServerProcess | undefined;
  let client: RagstoneClient;

  beforeEach((context) => {
    if (!disk) context.skip(diskMissing);
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragstone-full-'));
    disk = await SmallDisk.mount(DISK_KB);
    if (!disk) return;
    server = ServerProcess.spawn({ DATA_DIR: join(folder, 'data'), TMPDIR: disk.folder });
    client = await server.ready();
  });

  afterAll(async () => {
    server?.child.kill('SIGKILL');
    await server?.ended();
    await disk?.unmount();
    await rm(folder, { recursive: true, force: true });
  });

  it('answers 507 with what to do, leaves no half file, and takes the next upload that fits', async () => {
    const large = Buffer.from('A line of a large document.\n'.repeat(100_000));
    const refused = await client.upload('large.txt', large);
    expect(refused).toMatchObject({ status: 507, body: { code: 'upload_space_full' } });
    expect(await readdir(disk!.folder)).toEqual([]);
    expect((await client.get('/documents')).body).toMatchObject({ documents: [] });

    const accepted = await client.upload('small.txt', Buffer.from('A small document.'));
    expect(accepted.status).toBe(202);
    expect((await client.jobEnd(accepted.body)).status).toBe('ready');
    expect(server!.exitCode).toBeNull();
  });
});

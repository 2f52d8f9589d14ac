import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

interface Documents {
  documents: { external_id: string; current_version: number | null; latest_version: number }[];
}

describe('INDEX_WATCH_DIR', () => {
  let folder: string;
  let api: TestApi;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragstone-watched-'));
    await writeFile(join(folder, 'pumps.md'), 'The pump needs oil every 500 hours.');
    await writeFile(join(folder, 'valves.txt'), 'The valve is opened by hand.');
    api = await startTestApi({ INDEX_WATCH_DIR: folder, INDEX_WATCH_STABLE_MS: '50' });
  });
  afterAll(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const indexed = async () => {
    const { body } = await api.client.get<Documents>('/documents');
    const ready = body.documents.filter((document) => document.current_version === document.latest_version);
    return ready.map((document) => `${document.external_id} ${document.latest_version}`).sort();
  };
  const becomes = (expected: string[]) =>
    waitFor(`the index to hold ${expected.join(', ')}`, async () => {
      return JSON.stringify(await indexed()) === JSON.stringify(expected);
    });

  it('indexes what is there, what comes and what changes, and forgets what goes', async () => {
    await becomes(['watch:pumps.md 1', 'watch:valves.txt 1']);
    await writeFile(join(folder, 'pumps.md'), 'The pump needs oil every 900 hours.');
    await writeFile(join(folder, 'filters.md'), 'The filter is changed in May.');
    await rm(join(folder, 'valves.txt'));
    await becomes(['watch:filters.md 1', 'watch:pumps.md 2']);
    const { body } = await api.client.ask('How often does the pump need oil?');
    expect(body.answer).toContain('900 hours');
  });
});

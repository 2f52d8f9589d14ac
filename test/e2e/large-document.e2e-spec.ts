import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makePdf } from '../support/documents.js';
import type { JobView } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { waitFor } from '../support/wait-for.js';

const PAGES = 500;
const MEMORY_MB_MAX = 1_500;

async function peakMemoryMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024;
}

it('indexes a PDF of 500 pages below 1.5 GB, with progress, while /health answers', async (context) => {
  if (process.platform !== 'linux') context.skip('peak memory is read from /proc, which only Linux has');
  const pages = Array.from({ length: PAGES }, (_, page) => ({
    heading: `Procedure ${page + 1}`,
    paragraphs: Array.from(
      { length: 4 },
      (_unused, step) =>
        `Step ${step + 1} of procedure ${page + 1}: close valve ${page * 7 + step}, wait until gauge ${page} shows zero, then note the time in the log book.`,
    ),
  }));
  const pdf = await makePdf(pages, { running: 'Plant handbook' });
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-large-'));
  const server = ServerProcess.spawn({ DATA_DIR: folder, EMBEDDING_THREADS: '2' });
  try {
    const client = await server.ready();
    const accepted = await client.upload('handbook.pdf', pdf);
    expect(accepted.status).toBe(202);

    const seen = new Set<string>();
    const job = await waitFor(
      'the handbook to be indexed',
      async () => {
        const { body } = await client.get<JobView>(`/jobs/${accepted.body.job_id}`);
        if (body.stage && body.done > 0) seen.add(body.stage); // while it is still read, the total is not known
        expect((await client.get('/health')).status).toBe(200);
        return !['queued', 'running'].includes(body.status) && body;
      },
      240_000,
    );
    expect(job).toMatchObject({ status: 'ready', error: null });
    expect([...seen]).toEqual(expect.arrayContaining(['embed']));

    const { body } = await client.ask('In procedure 377, which valve is closed in step 2?');
    const citation = body.citations.find(({ quote }) => quote.includes('Step 2 of procedure 377'));
    expect(citation).toMatchObject({ page: 377, verified: true });
    expect(await peakMemoryMb(server.child.pid!)).toBeLessThan(MEMORY_MB_MAX);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 300_000);

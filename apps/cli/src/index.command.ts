import { readConfig } from '#libs/config';
import { ApiClient } from './api-client.js';
import { withEmbeddedService } from './embedded-service.js';
import { findFiles } from './index-files/find-files.js';
import { followBatches } from './index-files/follow-batches.js';
import { IndexReport } from './index-files/index-report.js';
import { FileSender } from './index-files/send-files.js';

export interface IndexOptions {
  collection: string;
  priority: string;
  /** Of a running service; "embedded", or nothing: in this process. */
  url?: string;
  key?: string;
  root?: string;
  wait: boolean;
}

/** Sends files and folders to be indexed, and says how each has ended. Exit code 1 when any has failed. */
export async function runIndex(paths: readonly string[], options: IndexOptions): Promise<void> {
  const { url = 'embedded' } = options;
  if (url !== 'embedded')
    return indexThrough(new ApiClient(url.replace(/\/+$/, ''), options.key), paths, options);
  if (!options.wait) {
    throw new Error(
      'Without --url the work is done in this process, which has to wait for it: leave out --no-wait.',
    );
  }
  await withEmbeddedService((baseUrl) => indexThrough(new ApiClient(baseUrl), paths, options));
}

async function indexThrough(api: ApiClient, paths: readonly string[], options: IndexOptions): Promise<void> {
  const { collection, priority, root = null } = options;
  const report = new IndexReport();
  const { bytesMax } = readConfig().indexing;
  const sender = new FileSender(api, report, { collection, priority, bytesMax });
  const files = await findFiles(paths, root);
  for (const file of files) await sender.send(file);
  await sender.flush();
  for (const { jobId, names } of sender.batches) {
    console.log(`Sent ${names.length} ${names.length === 1 ? 'file' : 'files'}: job ${jobId}`);
  }
  if (options.wait) {
    await followBatches(api, sender.batches, report, showProgress);
    clearProgress();
  }
  for (const line of report.lines()) console.log(line);
  if (report.failedCount > 0) process.exitCode = 1;
}

/** One line that changes, for a reader; nothing where the output is kept. */
function showProgress(done: number, total: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${done} of ${total}`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

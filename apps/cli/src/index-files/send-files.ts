import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isRagError } from '#libs/errors';
import { uploadedContent } from '#libs/indexing';
import { type ApiClient, ApiFailure } from '../api-client.js';
import type { FoundFile } from './find-files.js';
import type { IndexReport } from './index-report.js';

const BATCH_FILES_MAX = 1_000;
/** Of one form: what the service, and this process, hold in memory. */
const BATCH_BYTES_MAX = 32 * 1024 * 1024;

interface ReadFile {
  name: string;
  bytes: Buffer<ArrayBuffer>;
}

export interface SentBatch {
  jobId: string;
  /** Of the files, in the order in which they were sent. */
  names: string[];
}

/** Sends files in batches of bounded number and size, one after the other. */
export class FileSender {
  private waiting: ReadFile[] = [];
  private waitingBytes = 0;
  readonly batches: SentBatch[] = [];

  constructor(
    private readonly api: ApiClient,
    private readonly report: IndexReport,
    private readonly options: { collection: string; priority: string; bytesMax: number },
  ) {}

  async send(file: FoundFile): Promise<void> {
    const { bytesMax } = this.options;
    if (file.byteCount > bytesMax) {
      const why = `The file has ${file.byteCount} bytes; at most ${bytesMax} are taken. Split it, or raise INDEX_BYTES_MAX here and there.`;
      this.report.fail(file.name, 'payload_too_large', why);
      return;
    }
    const bytes = await this.read(file);
    if (!bytes) return;
    const isFull =
      this.waiting.length === BATCH_FILES_MAX || this.waitingBytes + bytes.length > BATCH_BYTES_MAX;
    if (isFull) await this.flush();
    this.waiting.push({ name: file.name, bytes });
    this.waitingBytes += bytes.length;
  }

  async flush(): Promise<void> {
    const files = this.waiting;
    this.waiting = [];
    this.waitingBytes = 0;
    if (files.length > 0) await this.sendBatch(files);
  }

  /** Null for what the service would not take: a pity for a file that was asked for, and to be expected in a folder. */
  private async read({ path, name, isAskedFor }: FoundFile): Promise<Buffer<ArrayBuffer> | null> {
    try {
      const bytes = await readFile(path);
      await uploadedContent({ bytes, filename: name });
      return bytes;
    } catch (error) {
      if (!isRagError(error)) this.report.fail(name, 'file_not_readable', (error as Error).message);
      else if (isAskedFor) this.report.fail(name, error.code, error.message);
      else this.report.otherFormats.push(name);
      return null;
    }
  }

  /** A batch that is too large for this service goes in halves. */
  private async sendBatch(files: readonly ReadFile[]): Promise<void> {
    try {
      const form = this.formOf(files);
      const { job_id } = await this.api.postForm<{ job_id: string }>('/index/batch', form, randomUUID());
      this.batches.push({ jobId: job_id, names: files.map(({ name }) => name) });
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.status !== 413) throw error;
      if (files.length === 1) {
        this.report.fail(files[0]!.name, error.code, error.message);
        return;
      }
      const half = Math.ceil(files.length / 2);
      await this.sendBatch(files.slice(0, half));
      await this.sendBatch(files.slice(half));
    }
  }

  private formOf(files: readonly ReadFile[]): FormData {
    const form = new FormData();
    form.append('collection', this.options.collection);
    form.append('priority', this.options.priority);
    for (const { name, bytes } of files) form.append('file', new Blob([bytes]), name);
    return form;
  }
}

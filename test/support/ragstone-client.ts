import { waitFor } from './wait-for.js';

export interface Reply<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface JobView {
  job_id: string;
  kind: string;
  parent_job_id: string | null;
  document_id: string;
  version: number | null;
  status: string;
  stage: string | null;
  unit: string;
  done: number;
  total: number | null;
  attempts: number;
  priority: string;
  resolved_count: number | null;
  still_failing_count: number | null;
  skipped_count: number | null;
  details: Record<string, unknown>;
  revision: number;
  finished_at: string | null;
  error: { code: string; message: string; stage: string | null; retryable: boolean } | null;
}

export interface AcceptedView {
  job_id: string;
  document_id: string;
  version: number;
  status: string;
  duplicate_of: string | null;
}

export interface CitationView {
  number: number;
  document_id: string;
  chunk_id: string;
  title: string;
  page: number | null;
  char_start: number;
  char_end: number;
  quote: string;
  verified: boolean;
}

export interface AnswerView {
  answer: string;
  status: string;
  citations: CitationView[];
  sources: {
    document_id: string;
    title: string;
    text: string;
    score: number;
    char_start: number;
    char_end: number;
  }[];
  model: string;
  tokens: { input: number; output: number; estimated: boolean };
  cost: { micro_usd: number | null };
  degraded_reasons: string[];
  request_id: string;
}

export interface ChunkView {
  chunk_id: string;
  ordinal: number;
  text: string;
  heading_path: string[];
  page: number | null;
  char_start: number;
  char_end: number;
  token_count: number;
}

/** Plain calls over HTTP with the platform's own fetch. */
export class RagstoneClient {
  constructor(readonly url: string) {}

  async get<Body = Record<string, unknown>>(path: string): Promise<Reply<Body>> {
    return this.send<Body>('GET', path);
  }

  async post<Body = Record<string, unknown>>(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<Body>> {
    const init = { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
    return this.send<Body>('POST', path, init);
  }

  /** Without a body. */
  async call<Body = Record<string, unknown>>(path: string): Promise<Reply<Body>> {
    return this.send<Body>('POST', path);
  }

  async patch<Body = Record<string, unknown>>(path: string, body: unknown): Promise<Reply<Body>> {
    const headers = { 'content-type': 'application/json' };
    return this.send<Body>('PATCH', path, { body: JSON.stringify(body), headers });
  }

  async postRaw<Body = Record<string, unknown>>(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    contentType: string,
  ): Promise<Reply<Body>> {
    return this.send<Body>('POST', path, { body, headers: { 'content-type': contentType } });
  }

  async upload(
    filename: string,
    bytes: Uint8Array,
    fields: Record<string, string> = {},
  ): Promise<Reply<AcceptedView>> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob([new Uint8Array(bytes)]), filename);
    return this.send<AcceptedView>('POST', '/index', { body: form });
  }

  async delete(path: string): Promise<number> {
    return (await fetch(this.url + path, { method: 'DELETE' })).status;
  }

  async ask(question: string, options: Record<string, unknown> = {}): Promise<Reply<AnswerView>> {
    return this.post<AnswerView>('/query', { question, ...options });
  }

  async job(id: string): Promise<JobView> {
    return (await this.get<JobView>(`/jobs/${id}`)).body;
  }

  /** The job as soon as it is as wanted. */
  async jobWhen(what: string, id: string, isWanted: (job: JobView) => boolean): Promise<JobView> {
    return waitFor(`job ${id} to be ${what}`, async () => {
      const job = await this.job(id);
      return isWanted(job) && job;
    });
  }

  /** The job when it has ended. */
  async jobEnd({ job_id }: Pick<AcceptedView, 'job_id'>, timeoutMs?: number): Promise<JobView> {
    return waitFor(
      `job ${job_id} to end`,
      async () => {
        const { body } = await this.get<JobView>(`/jobs/${job_id}`);
        return !['queued', 'running'].includes(body.status) && body;
      },
      timeoutMs,
    );
  }

  /** Indexes a text and waits until it is searchable. */
  async indexText(text: string, fields: Record<string, unknown> = {}): Promise<AcceptedView> {
    const { status, body } = await this.post<AcceptedView>('/index', { text, ...fields });
    if (status !== 202) throw new Error(`not accepted: ${JSON.stringify(body)}`);
    const job = await this.jobEnd(body);
    if (job.status !== 'ready') throw new Error(`not indexed: ${JSON.stringify(job.error)}`);
    return body;
  }

  /** Text and all chunks of a document. */
  async content(documentId: string): Promise<{ text: string; chunks: ChunkView[] }> {
    const { body } = await this.get<{ text: string }>(`/documents/${documentId}/text`);
    const list = await this.get<{ chunks: ChunkView[] }>(`/documents/${documentId}/chunks?limit=200`);
    return { text: body.text, chunks: list.body.chunks };
  }

  private async send<Body>(method: string, path: string, init: RequestInit = {}): Promise<Reply<Body>> {
    const response = await fetch(this.url + path, { method, ...init });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Body,
    };
  }
}

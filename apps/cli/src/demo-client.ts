import { request } from 'undici';

export interface DemoJob {
  status: string;
  total: number | null;
  error: { message: string } | null;
}

export interface DemoAnswer {
  answer: string;
  status: string;
  model: string;
  latency_ms: number;
  citations: {
    number: number;
    title: string;
    heading_path: string[];
    page: number | null;
    char_start: number;
    char_end: number;
    quote: string;
  }[];
}

/** The few calls of the demo, over HTTP. */
export class DemoClient {
  constructor(private readonly baseUrl: string) {}

  /** @returns the job's id */
  async upload(filename: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const form = new FormData();
    form.append('file', new Blob([bytes]), filename);
    const response = await fetch(`${this.baseUrl}/index`, { method: 'POST', body: form });
    return this.checked<{ job_id: string }>(response.status, await response.json()).job_id;
  }

  async job(id: string): Promise<DemoJob> {
    const { statusCode, body } = await request(`${this.baseUrl}/jobs/${id}`);
    return this.checked(statusCode, await body.json());
  }

  async ask(question: string): Promise<DemoAnswer> {
    const { statusCode, body } = await request(`${this.baseUrl}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ question }),
    });
    return this.checked(statusCode, await body.json());
  }

  private checked<Reply>(status: number, reply: unknown): Reply {
    if (status < 300) return reply as Reply;
    throw new Error(
      `The API answered ${status}: ${(reply as { detail?: string }).detail ?? JSON.stringify(reply)}`,
    );
  }
}

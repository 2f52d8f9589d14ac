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
    const accepted = (await this.call('/index', { method: 'POST', body: form })) as { job_id: string };
    return accepted.job_id;
  }

  async job(id: string): Promise<DemoJob> {
    return (await this.call(`/jobs/${id}`)) as DemoJob;
  }

  async ask(question: string): Promise<DemoAnswer> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ question });
    return (await this.call('/query', { method: 'POST', headers, body })) as DemoAnswer;
  }

  private async call(path: string, init?: RequestInit): Promise<unknown> {
    const response = await fetch(this.baseUrl + path, init);
    const reply = (await response.json()) as { detail?: string };
    if (response.ok) return reply;
    throw new Error(`The API answered ${response.status}: ${reply.detail ?? JSON.stringify(reply)}`);
  }
}

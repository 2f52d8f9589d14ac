import { setTimeout as sleep } from 'node:timers/promises';

export interface ApiJob {
  job_id: string;
  kind: string;
  parent_job_id: string | null;
  document_id: string | null;
  collection: string;
  status: string;
  stage: string | null;
  unit: string;
  done: number;
  total: number | null;
  resolved_count: number | null;
  still_failing_count: number | null;
  skipped_count: number | null;
  attempts: number;
  error: { code: string; message: string; stage: string | null } | null;
  details: Record<string, unknown>;
  created_at: string;
  finished_at: string | null;
}

export interface JobPage {
  jobs: ApiJob[];
  next_before: string | null;
}

/** What the service answered instead of doing it. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfterMs: number | null,
  ) {
    super(detail);
  }
}

const UNREACHABLE_ATTEMPTS_MAX = 5;
const UNREACHABLE_WAIT_MS = 1_000;

/** The HTTP API of a running service. */
export class ApiClient {
  /** @param key an API key; null: the service asks for none */
  constructor(
    private readonly baseUrl: string,
    private readonly key: string | null = null,
  ) {}

  get<Body>(path: string): Promise<Body> {
    return this.call<Body>(path, () => ({}));
  }

  post<Body>(path: string, body?: object): Promise<Body> {
    const headers = { 'content-type': 'application/json' };
    return this.call<Body>(path, () => ({
      method: 'POST',
      ...(body && { body: JSON.stringify(body), headers }),
    }));
  }

  delete<Body>(path: string): Promise<Body> {
    return this.call<Body>(path, () => ({ method: 'DELETE' }));
  }

  /** One look, whatever the answer is. @throws an Error that names the service when nobody answers */
  async look(path: string): Promise<{ status: number; text: string }> {
    const response = await this.reach(path, () => ({}), 1);
    return { status: response.status, text: await response.text() };
  }

  /** Sent again with the same key when the service takes no more at the moment, or goes away meanwhile. */
  async postForm<Body>(path: string, form: FormData, idempotencyKey: string): Promise<Body> {
    const headers = { 'idempotency-key': idempotencyKey };
    for (;;) {
      try {
        return await this.call<Body>(path, () => ({ method: 'POST', body: form, headers }));
      } catch (error) {
        if (!(error instanceof ApiFailure) || error.retryAfterMs === null) throw error;
        await sleep(error.retryAfterMs);
      }
    }
  }

  /** @throws {ApiFailure}; an Error that names the service when it can't be reached */
  private async call<Body>(path: string, request: () => RequestInit): Promise<Body> {
    const response = await this.reach(path, request);
    const text = await response.text();
    const reply = parseJson(text) as Body & { code?: string; detail?: string };
    if (response.ok) return reply;
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    throw new ApiFailure(
      response.status,
      reply.code ?? `http_${response.status}`,
      reply.detail ?? `The service answered ${response.status}: ${text.slice(0, 200)}`,
      Number.isFinite(seconds) ? seconds * 1_000 : null,
    );
  }

  private signed(request: RequestInit): RequestInit {
    if (!this.key) return request;
    return { ...request, headers: { ...(request.headers as object), authorization: `Bearer ${this.key}` } };
  }

  private async reach(
    path: string,
    request: () => RequestInit,
    attemptsMax = UNREACHABLE_ATTEMPTS_MAX,
  ): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await fetch(this.baseUrl + path, this.signed(request()));
      } catch (cause) {
        if (attempt === attemptsMax) {
          throw new Error(
            `Ragstone does not answer on ${this.baseUrl}. Start it with "npm start", or give the right --url.`,
            { cause },
          );
        }
        await sleep(UNREACHABLE_WAIT_MS);
      }
    }
  }
}

/** An answer that is not JSON comes from something between. */
function parseJson(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

import { Random } from '../faults/random.js';
import {
  type JsonSchema,
  type OpenApi,
  type Operation,
  SchemaSampler,
  type Texts,
} from './schema-sampler.js';

/** The same requests in every run; FUZZ_SEED makes others (`random`: by chance), FUZZ_REQUESTS more. */
const { FUZZ_SEED = '20261121' } = process.env;
const seed = FUZZ_SEED === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(FUZZ_SEED);

export function fuzzRequests(usual: number): number {
  return Number(process.env.FUZZ_REQUESTS ?? usual);
}

/** 10,000 requests take about two minutes on two cores that do nothing else. */
export const FUZZ_TIMEOUT_MS = Math.max(120_000, fuzzRequests(0) * 100);

export interface FuzzedRequest {
  /** "POST /query" */
  route: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | FormData | undefined;
}

export interface FuzzedResponse {
  status: number;
  contentType: string;
  text: string;
}

/** Streams are read for so long: they may have no end. */
const STREAM_MS = 300;
/** What takes longer hangs. */
const HANG_MS = 60_000;

/** Requests for every route of the OpenAPI document, in turn. */
export class RequestFuzzer {
  private readonly operations: { route: string; path: string; method: string; operation: Operation }[];
  private readonly random = new Random(seed);
  private readonly sampler: SchemaSampler;
  private count = 0;

  constructor(
    document: OpenApi,
    /** What path parameters, fields and headers are filled with, by their names. */
    private readonly texts: Texts,
    private readonly headers: Texts = {},
  ) {
    console.log(`FUZZ_SEED=${seed}`);
    this.sampler = new SchemaSampler(document.components.schemas, this.random, texts);
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        route: `${method.toUpperCase()} ${path}`,
        path,
        method: method.toUpperCase(),
        operation,
      })),
    );
  }

  get routes(): string[] {
    return this.operations.map(({ route }) => route);
  }

  /** @param damaged of ten requests are not as the document wants them */
  next(damaged: number): FuzzedRequest {
    const { route, path, method, operation } = this.operations[this.count % this.operations.length]!;
    this.count += 1;
    const isDamaged = () => this.random.integer(10) < damaged;
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    let filled = path;
    for (const { name, in: place, required, schema } of operation.parameters ?? []) {
      const value = textOf(isDamaged() ? this.sampler.nonsense() : this.sampler.valid(schema, name)).slice(
        0,
        4_000,
      );
      if (place === 'path')
        filled = filled.replace(`{${name}}`, encodeURIComponent(value.toWellFormed()) || '%20');
      else if (place === 'query' && (required || this.random.integer(2) === 0)) query.set(name, value);
    }
    for (const [name, values] of Object.entries(this.headers)) {
      if (this.random.integer(3) === 0) headers[name] = this.random.pick(values);
    }
    const body = this.body(operation, isDamaged(), headers);
    const search = query.size > 0 ? `?${query.toString()}` : '';
    return { route, method, path: filled + search, headers, body };
  }

  private body(operation: Operation, isDamaged: boolean, headers: Record<string, string>) {
    const contents = Object.entries(operation.requestBody?.content ?? {});
    if (contents.length === 0) return undefined;
    const [type, { schema }] = this.random.pick(contents);
    if (type === 'multipart/form-data') return this.form(schema, isDamaged);
    headers['content-type'] = type;
    const text = JSON.stringify(isDamaged ? this.sampler.bad(schema) : this.sampler.valid(schema)) ?? '';
    if (!isDamaged || this.random.integer(6) > 0) return text;
    headers['content-type'] = this.random.pick([
      type,
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-16',
    ]);
    return this.random.pick([
      text.slice(0, -1),
      `${text}}`,
      '',
      '[',
      'NaN',
      '\ufeff{}',
      `{"a":${'['.repeat(5_000)}`,
    ]);
  }

  private form(schema: JsonSchema, isDamaged: boolean): FormData {
    const sampled = isDamaged ? this.sampler.bad(schema) : this.sampler.valid(schema);
    const { file: _, ...fields } = (sampled ?? {}) as Record<string, unknown>;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, textOf(value).toWellFormed());
    const content = textOf(isDamaged ? this.sampler.nonsense() : this.sampler.valid({}, 'text'));
    if (!isDamaged || this.random.integer(3) > 0)
      form.append('file', new Blob([content.toWellFormed()]), 'notes.txt');
    return form;
  }
}

/** @throws when there is no answer in time */
export async function sendFuzzed(
  url: string,
  { method, path, headers, body }: FuzzedRequest,
  credential?: string,
): Promise<FuzzedResponse> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(credential && { authorization: `Bearer ${credential}` }) },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(HANG_MS),
  });
  const contentType = response.headers.get('content-type') ?? '';
  const text = contentType.startsWith('text/event-stream')
    ? await readStream(response)
    : await response.text();
  return { status: response.status, contentType, text };
}

async function readStream(response: Response): Promise<string> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  const end = setTimeout(() => void reader.cancel(), STREAM_MS);
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  clearTimeout(end);
  return text;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

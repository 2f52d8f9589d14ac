import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  service: string;
}

export interface ReceivedRun {
  id: string;
  name: string;
  run_type: string;
  parent_run_id?: string | null;
  trace_id: string;
  session_name?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  error?: string | null;
  end_time?: number | string;
}

interface AnyValue {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values: AnyValue[] };
}

interface OtlpBody {
  resourceSpans: {
    resource: { attributes: { key: string; value: AnyValue }[] };
    scopeSpans: {
      spans: (Omit<ReceivedSpan, 'attributes' | 'service'> & {
        attributes: { key: string; value: AnyValue }[];
      })[];
    }[];
  }[];
}

/** Takes traces by OTLP (JSON) as a collector does, and runs as LangSmith does. */
export class TraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly runs = new Map<string, ReceivedRun>();
  /** Everything that came, as text. */
  otlpText = '';
  readonly apiKeys: (string | undefined)[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<TraceReceiver> {
    const holder: { receiver?: TraceReceiver } = {};
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { 'content-encoding': encoding, 'x-api-key': apiKey } = request.headers;
        const raw = Buffer.concat(parts);
        const body = (encoding === 'gzip' ? gunzipSync(raw) : raw).toString('utf8');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(holder.receiver!.take(request.url!, body, apiKey as string | undefined)));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    holder.receiver = new TraceReceiver(server, `http://127.0.0.1:${port}`);
    return holder.receiver;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  private take(path: string, text: string, apiKey: string | undefined): object {
    if (path === '/info') return { batch_ingest_config: { use_multipart_endpoint: false } };
    if (path === '/v1/traces') {
      this.otlpText += text;
      this.takeSpans(JSON.parse(text) as OtlpBody);
    }
    if (path === '/runs/batch') {
      this.apiKeys.push(apiKey);
      const { post = [], patch = [] } = JSON.parse(text) as { post?: ReceivedRun[]; patch?: ReceivedRun[] };
      for (const run of [...post, ...patch]) this.runs.set(run.id, { ...this.runs.get(run.id), ...run });
    }
    return {};
  }

  private takeSpans({ resourceSpans }: OtlpBody): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const { 'service.name': service } = plain(resource.attributes);
      for (const span of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({ ...span, attributes: plain(span.attributes), service: String(service) });
    }
  }
}

function plain(attributes: { key: string; value: AnyValue }[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf({ stringValue, intValue, doubleValue, boolValue, arrayValue }: AnyValue): unknown {
  if (arrayValue) return arrayValue.values.map(valueOf);
  return stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue ?? boolValue;
}

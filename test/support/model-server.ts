import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RecordedRequest {
  path: string;
  authorization: string | undefined;
  body: Record<string, unknown>;
}

export interface Fault {
  /** Answer with this status instead. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Cut the connection instead of answering. */
  cut?: boolean;
  /** Answer after this time. */
  delayMs?: number;
}

/** Writes the text of a chat completion from its messages. */
export type Responder = (messages: { role: string; content: string }[]) => string;

/** Speaks OpenAI's wire protocol for embeddings and chat completions on loopback, and fails on demand. */
export class ModelServer {
  readonly requests: RecordedRequest[] = [];
  /** One is taken from the front for each request. */
  readonly faults: Fault[] = [];
  /** What every request gets; null: an answer. */
  outage: Fault | null = null;
  responder: Responder = () => 'NO_EVIDENCE';
  dimensions = 8;
  /** Makes every vector the same: the worst of models. */
  isBlind = false;
  sendsUsage = true;
  /** Each request for embeddings waits for it. */
  beforeEmbedding: (texts: string[]) => Promise<unknown> | null = () => null;

  private gate: PromiseWithResolvers<void> | null = null;
  private passing = 0;

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly url: string,
  ) {}

  static async start(): Promise<ModelServer> {
    const holder: { server?: ModelServer } = {};
    const http = createServer((request, response) => {
      holder.server!.handle(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve);
    });
    const { port } = http.address() as AddressInfo;
    holder.server = new ModelServer(http, `http://127.0.0.1:${port}/v1`);
    return holder.server;
  }

  /** After so many requests none is answered until `release`. */
  hold(passing = 0): void {
    this.gate ??= Promise.withResolvers();
    this.passing = passing;
  }

  release(): void {
    this.gate?.resolve();
    this.gate = null;
  }

  async close(): Promise<void> {
    this.release();
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.writeHead(404).end(); // whoever only wants to know whether somebody is there
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>;
    this.requests.push({ path: request.url!, authorization: request.headers.authorization, body });
    if (request.url!.endsWith('/embeddings')) await this.beforeEmbedding(body.input as string[]);
    this.passing -= 1;
    if (this.passing < 0) await this.gate?.promise;
    const fault = this.faults.shift() ?? this.outage;
    if (fault?.delayMs) await sleep(fault.delayMs);
    if (fault?.cut) {
      response.destroy();
      return;
    }
    if (fault?.status || fault?.body !== undefined) {
      response.writeHead(fault.status ?? 200, { 'content-type': 'application/json', ...fault.headers });
      response.end(fault.body ?? JSON.stringify({ error: { message: 'the test asked for this' } }));
      return;
    }
    const reply = request.url!.endsWith('/embeddings') ? this.embeddings(body) : this.completion(body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply));
  }

  /** A vector that depends on the letters of the text: equal texts are equal, similar texts are near. */
  private embeddings({ input, encoding_format }: Record<string, unknown>): unknown {
    const data = (input as string[]).map((text, index) => {
      const vector = new Float32Array(this.dimensions).fill(0.01);
      for (const letter of this.isBlind ? '' : text.toLowerCase())
        vector[letter.charCodeAt(0) % this.dimensions]! += 1;
      const embedding =
        encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
      return { object: 'embedding', index, embedding };
    });
    return { object: 'list', data: data.toReversed(), usage: { prompt_tokens: 1, total_tokens: 1 } };
  }

  private completion({ messages, model }: Record<string, unknown>): unknown {
    const content = this.responder(messages as { role: string; content: string }[]);
    return {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      model: `${String(model)}-2026`,
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
      ...(this.sendsUsage && { usage: { prompt_tokens: 1000, completion_tokens: 50, total_tokens: 1050 } }),
    };
  }
}

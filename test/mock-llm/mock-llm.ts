import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { anthropicEvents, anthropicMessage, toolUseOf } from './anthropic-replies.js';
import { Bill, countCached, countMessages } from './bill.js';
import { defaultResponder, type MockMessage, type Responder } from './default-responder.js';
import type { Fault, ScriptedFault } from './fault.js';
import { parseJson, readBody, sendJson } from './http-json.js';
import { encodeVector, letterVector } from './letter-vector.js';
import {
  completion,
  completionEvents,
  type MockUsage,
  structuredReply,
  type ToolCall,
  toolCallOf,
} from './openai-replies.js';
import { closeConnection, ReplyWriter } from './reply-writer.js';

export interface RecordedRequest {
  path: string;
  authorization: string | undefined;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown>;
}

export interface MockLlmOptions {
  port?: number;
  host?: string;
  /** Default 8. */
  dimensions?: number;
  /** Keeps each request with its body. Default true; turn it off for long runs. */
  recordsRequests?: boolean;
}

/**
 * A model server on loopback that speaks OpenAI chat, embeddings and rerank and Anthropic messages, says the same every time, and
 * fails on demand: by script (`faults`, POST /mock/script), by rule (`behave`) or by the header X-Mock-Fault (JSON).
 */
export class MockLlm {
  readonly requests: RecordedRequest[] = [];
  /** One is taken from the front for each request. */
  readonly faults: Fault[] = [];
  readonly script: ScriptedFault[] = [];
  /** Decides a fault for each request that the script leaves alone. */
  behave: ((request: RecordedRequest) => Fault | null) | null = null;
  /** What each request gets that has no fault by the other ways; null: a reply. */
  outage: Fault | null = null;
  /** Each request for embeddings waits for it. */
  beforeEmbedding: (texts: string[]) => Promise<unknown> | null = noWait;
  responder: Responder = defaultResponder;
  /** Decides what tool a chat calls. */
  toolCaller: (body: Record<string, unknown>) => ToolCall | null = toolCallOf;
  dimensions: number;
  /** Makes every vector the same: the worst of models. */
  isBlind = false;
  sendsUsage = true;
  /** Sent instead of what was counted. */
  usage: MockUsage | null = null;
  /** Added to the model's name in replies, as providers add a date. */
  modelSuffix = '-2026';
  /** Requests with this text in their input are refused with 400. */
  poison: string | null = null;
  /** Accepts each connection this much later. */
  acceptDelayMs = 0;
  /** Embedding calls take this long and, with `isSerial`, one after the other, as on one GPU. */
  embeddingMs = 0;
  isSerial = false;
  readonly bill = new Bill();
  /** Requests whose connection the client closed before the reply was complete. */
  aborted = 0;
  open = 0;
  /** Since the last reset. */
  connections = 0;
  private sentBefore = 0;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly sockets = new Set<Socket>();
  private gate: PromiseWithResolvers<void> | null = null;
  private passing = 0;

  private constructor(
    private readonly listener: Server,
    readonly origin: string,
    private readonly options: MockLlmOptions,
  ) {
    this.dimensions = options.dimensions ?? 8;
  }

  /** The base URL for OpenAI's API; Anthropic's is `origin`. */
  get url(): string {
    return `${this.origin}/v1`;
  }

  static async start(options: MockLlmOptions = {}): Promise<MockLlm> {
    const holder: { mock?: MockLlm } = {};
    const http = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      holder.mock!.handle(request, response).catch(() => response.destroy());
    });
    const accept = (socket: Socket): void => {
      const mock = holder.mock!;
      mock.sockets.add(socket);
      mock.connections += 1;
      socket.on('close', () => {
        mock.sockets.delete(socket);
        mock.sentBefore += socket.bytesWritten;
      });
      socket.on('error', () => undefined);
      const hand = (): void => {
        http.emit('connection', socket);
        socket.resume();
      };
      if (mock.acceptDelayMs > 0) setTimeout(hand, mock.acceptDelayMs);
      else hand();
    };
    const listener = createServer({ pauseOnConnect: true, noDelay: true }, accept);
    const host = options.host ?? '127.0.0.1';
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(options.port ?? 0, host, 4_096, resolve);
    });
    const { port } = listener.address() as AddressInfo;
    holder.mock = new MockLlm(listener, `http://${host}:${port}`, options);
    return holder.mock;
  }

  /** Over all connections since the start. */
  get sentBytes(): number {
    return [...this.sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, this.sentBefore);
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
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => {
      this.listener.close(resolve);
    });
  }

  /** As after the start: no faults, no counts. */
  reset(): void {
    this.requests.length = 0;
    this.faults.length = 0;
    this.script.length = 0;
    this.behave = null;
    this.outage = null;
    this.beforeEmbedding = noWait;
    this.release();
    this.responder = defaultResponder;
    this.toolCaller = toolCallOf;
    this.isBlind = false;
    this.sendsUsage = true;
    this.usage = null;
    this.poison = null;
    this.acceptDelayMs = 0;
    this.embeddingMs = 0;
    this.isSerial = false;
    this.aborted = 0;
    this.connections = 0;
    this.bill.reset();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!;
    if (path.startsWith('/mock/')) return this.control(request, response);
    if (request.method === 'GET')
      return sendJson(response, 200, { object: 'list', data: [{ id: 'mock', object: 'model' }] });
    const parsed = parseJson(await readBody(request));
    if (!parsed) return sendJson(response, 400, { error: { message: 'the body is not JSON' } });
    const { authorization } = request.headers;
    const recorded = { path, authorization, headers: request.headers, body: parsed };
    if (this.options.recordsRequests !== false) this.requests.push(recorded);
    this.bill.calls += 1;
    this.open += 1;
    response.on('close', () => {
      this.open -= 1;
      if (!response.writableFinished) this.aborted += 1;
    });
    await this.wait(recorded);
    await this.reply(recorded, response, this.faultFor(recorded));
  }

  private async wait({ path, body }: RecordedRequest): Promise<void> {
    if (path.endsWith('/embeddings')) await this.beforeEmbedding(inputOf(body));
    this.passing -= 1;
    if (this.passing < 0) await this.gate?.promise;
  }

  private faultFor(request: RecordedRequest): Fault {
    const given = request.headers['x-mock-fault'];
    if (typeof given === 'string') return JSON.parse(given) as Fault;
    const next = this.faults.shift();
    if (next) return next;
    const scripted = this.script.find(
      ({ path, model }) => (!path || request.path.includes(path)) && (!model || request.body.model === model),
    );
    if (scripted) {
      if (scripted.times !== 0) {
        scripted.times = (scripted.times ?? 1) - 1;
        if (scripted.times === 0) this.script.splice(this.script.indexOf(scripted), 1);
      }
      return scripted.fault;
    }
    return this.behave?.(request) ?? this.outage ?? {};
  }

  private async reply(request: RecordedRequest, response: ServerResponse, fault: Fault): Promise<void> {
    if (fault.never) return this.bill.chargeInput(request.body); // it was accepted, and the client can't know how far it got
    if (fault.delayMs) await sleep(fault.delayMs);
    if (response.destroyed) return this.bill.chargeInput(request.body);
    if (fault.cut) return closeConnection(response, fault.cut === 'rst' ? 'rst' : 'fin');
    if (fault.status !== undefined || fault.body !== undefined) {
      const headers = {
        'content-type': 'application/json',
        ...(fault.retryAfter !== undefined && { 'retry-after': String(fault.retryAfter) }),
        ...fault.headers,
      };
      response.writeHead(fault.status ?? 200, headers);
      response.end(
        fault.body ??
          JSON.stringify({ type: 'error', error: { type: 'mock', message: 'the test asked for this' } }),
      );
      return;
    }
    if (request.path.endsWith('/embeddings')) return this.embeddings(request.body, response, fault);
    if (request.path.endsWith('/rerank')) return this.rerank(request.body, response);
    if (request.path.endsWith('/messages')) return this.messages(request.body, response, fault);
    if (request.path.endsWith('/chat/completions')) return this.chat(request.body, response, fault);
    return sendJson(response, 404, { error: { message: `no such path: ${request.path}` } });
  }

  private async chat(body: Record<string, unknown>, response: ServerResponse, fault: Fault): Promise<void> {
    const messages = body.messages as MockMessage[];
    const toolCall = this.toolCaller(body);
    const structured = this.responder === defaultResponder ? structuredReply(body) : null;
    const text = structured ?? this.responder(messages);
    const model = `${String(body.model)}${this.modelSuffix}`;
    const usage = this.usageOf(messages, toolCall ? toolCall.function.arguments : text);
    const sendsUsage = this.sendsUsage && !fault.withoutUsage;
    if (body.stream !== true) {
      const reply = completion(model, text, toolCall, sendsUsage ? usage : null);
      return this.sendWhole(response, fault, fault.wrongSchema ? { nothing: true } : reply, usage);
    }
    const includesUsage = (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage;
    const pieces = piecesOf(text);
    const { tokens, tail } = completionEvents(
      model,
      pieces,
      toolCall,
      sendsUsage && includesUsage ? usage : null,
      fault,
    );
    await this.sendStream(response, fault, { head: [], tokens, tail, pieces: toolCall ? [] : pieces }, usage);
  }

  private async messages(
    body: Record<string, unknown>,
    response: ServerResponse,
    fault: Fault,
  ): Promise<void> {
    const messages = body.messages as MockMessage[];
    const system = typeof body.system === 'string' ? [{ role: 'system', content: body.system }] : [];
    const toolUse = toolUseOf(body);
    const text = this.responder([...system, ...messages]);
    const model = `${String(body.model)}${this.modelSuffix}`;
    const usage = this.usageOf([...system, ...messages], toolUse ? JSON.stringify(toolUse.input) : text);
    if (body.stream !== true) {
      const { usage: sent, ...rest } = anthropicMessage(model, text, toolUse, usage);
      const withUsage = this.sendsUsage && !fault.withoutUsage;
      return this.sendWhole(
        response,
        fault,
        fault.wrongSchema ? { nothing: true } : { ...rest, ...(withUsage && { usage: sent }) },
        usage,
      );
    }
    const pieces = piecesOf(text);
    const events = anthropicEvents(model, pieces, toolUse, usage, fault);
    await this.sendStream(response, fault, { ...events, pieces: toolUse ? [] : pieces }, usage);
  }

  private async sendWhole(
    response: ServerResponse,
    fault: Fault,
    reply: unknown,
    usage: MockUsage,
  ): Promise<void> {
    const json = JSON.stringify(reply);
    const text = fault.malformedJson ? json.slice(0, -3) : json;
    const writer = new ReplyWriter(response, fault);
    response.writeHead(200, {
      'content-type': 'application/json',
      ...fault.headers,
      ...(fault.cutAfterBytes === undefined &&
        !fault.pieceBytes && { 'content-length': String(Buffer.byteLength(text)) }),
    });
    if (await writer.write(text)) {
      writer.end();
      this.bill.charge(usage.prompt_tokens, usage.completion_tokens, true);
    }
  }

  private async sendStream(
    response: ServerResponse,
    fault: Fault,
    {
      head,
      tokens,
      tail,
      pieces,
    }: { head: string[]; tokens: string[]; tail: string[]; pieces: readonly string[] },
    usage: MockUsage,
  ): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...fault.headers });
    response.flushHeaders();
    const writer = new ReplyWriter(response, fault);
    if (fault.longLineBytes) await writer.write(`data: ${'x'.repeat(fault.longLineBytes)}\n\n`);
    for (const event of head) await writer.write(event);
    let sent = 0;
    for (const [index, token] of tokens.entries()) {
      const event = fault.malformedJson && index === 2 ? 'data: {"choices": [\n\n' : token;
      if (!(await writer.writeToken(event))) break;
      sent += 1;
      if (fault.errorEvent && index === 0) {
        const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
        await writer.write(`event: error\ndata: ${JSON.stringify(error)}\n\n`);
        writer.end();
      }
      if (writer.ended) break;
    }
    const isWhole = sent === tokens.length && !writer.ended;
    if (isWhole && fault.cutAfterBytes === undefined) {
      await writer.write(tail.join(''));
    } else if (isWhole) {
      for (const event of tail) await writer.write(event);
    }
    const completed = isWhole && !writer.ended && !fault.truncated;
    if (fault.afterDoneMs) await sleep(fault.afterDoneMs);
    writer.end();
    this.bill.charge(
      usage.prompt_tokens,
      completed ? usage.completion_tokens : countCached(pieces.slice(0, sent).join('')),
      completed,
    );
  }

  private async embeddings(
    body: Record<string, unknown>,
    response: ServerResponse,
    fault: Fault,
  ): Promise<void> {
    const input = inputOf(body);
    if (this.poison !== null && input.some((text) => text.includes(this.poison!))) {
      return sendJson(response, 400, { error: { message: 'the input is not acceptable' } });
    }
    if (this.embeddingMs > 0) {
      const before = this.turn;
      const mine = this.isSerial ? before.then(() => sleep(this.embeddingMs)) : sleep(this.embeddingMs);
      this.turn = mine;
      await mine;
    }
    const dimensions = this.dimensions + (fault.wrongDimension ? 1 : 0);
    const data = input.map((text, index) => {
      const vector = letterVector(this.isBlind ? '' : text, dimensions);
      if (fault.nan) vector[0] = Number.NaN;
      return { object: 'embedding', index, embedding: encodeVector(vector, body.encoding_format) };
    });
    const tokens = input.reduce((sum, text) => sum + countCached(text), 0);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    const reply = {
      object: 'list',
      model: body.model,
      data: data.toReversed(),
      ...(this.sendsUsage && { usage }),
    };
    await this.sendWhole(response, fault, reply, { prompt_tokens: tokens, completion_tokens: 0 });
  }

  /** Scores documents by the words that they share with the query. */
  private rerank(body: Record<string, unknown>, response: ServerResponse): void {
    const words = new Set(String(body.query).toLowerCase().split(/\W+/));
    const results = (body.documents as string[]).map((text, index) => {
      const own = text.toLowerCase().split(/\W+/);
      return {
        index,
        relevance_score: own.filter((word) => words.has(word)).length / Math.max(1, own.length),
      };
    });
    results.sort((a, b) => b.relevance_score - a.relevance_score);
    const tokens = countCached(String(body.query)) * results.length;
    this.bill.charge(tokens, 0, true);
    sendJson(response, 200, {
      model: body.model,
      results,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  }

  private usageOf(messages: MockMessage[], text: string): MockUsage {
    if (this.usage) return this.usage;
    return { prompt_tokens: countMessages(messages), completion_tokens: countCached(text) };
  }

  /** POST /mock/script [ScriptedFault, ...], POST /mock/reset, GET /mock/stats */
  private async control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = request.method === 'POST' ? await readBody(request) : '';
    if (request.url === '/mock/script') this.script.push(...(JSON.parse(body) as ScriptedFault[]));
    if (request.url === '/mock/reset') this.reset();
    sendJson(response, 200, { bill: this.bill, aborted: this.aborted, open: this.open, script: this.script });
  }
}

const noWait = () => null;

function inputOf({ input }: Record<string, unknown>): string[] {
  return (Array.isArray(input) ? input : [input]) as string[];
}

/** Words with the white space before them: a token a word, nearly. */
function piecesOf(text: string): string[] {
  return text.match(/\s*\S{1,12}|\s+/g) ?? [];
}

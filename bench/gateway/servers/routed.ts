import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import fastify from 'fastify';
import { readConfig } from '#libs/config';
import { migrate, openDatabase } from '#libs/database';
import { isRagError } from '#libs/errors';
import {
  type ChatMessage,
  DatabaseLedger,
  ModelCallRepository,
  NoBreakerShare,
  NoLedger,
  openRouter,
  type RoutedRequest,
} from '#libs/model-routing';

interface Body {
  messages: ChatMessage[];
  stream?: boolean;
  temperature?: number;
  max_tokens?: number;
}

/** The router behind OpenAI's chat contract: MODELS_FILE says which models, "ledger" writes each attempt to DATABASE_URL. */
const [port, ledgerKind] = [Number(process.argv[2]), process.argv[3]];
const config = readConfig();
const ledger = ledgerKind === 'ledger' ? await openLedger() : new NoLedger();
const router = await openRouter(config.models, ledger, new NoBreakerShare());
const app = fastify();

app.post('/v1/chat/completions', async (request, reply) => {
  const { messages, stream, temperature = 1, max_tokens = 100 } = request.body as Body;
  const controller = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client is gone'));
  });
  const routed: RoutedRequest = {
    chain: 'default',
    context: { requestId: request.id, keyId: null, purpose: 'chat' },
    messages,
    temperature,
    maxOutputTokens: max_tokens,
    signal: controller.signal,
  };
  if (stream) {
    void reply.header('content-type', 'text/event-stream');
    return reply.send(Readable.from(events(routed)));
  }
  const { text, providerModel, finishReason, spent } = await router.complete(routed);
  return {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model: providerModel,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finishReason }],
    usage: {
      prompt_tokens: spent.inputTokens,
      completion_tokens: spent.outputTokens,
      total_tokens: spent.inputTokens + spent.outputTokens,
    },
  };
});

async function* events(routed: RoutedRequest): AsyncGenerator<string> {
  const id = `chatcmpl-${randomUUID()}`;
  const chunk = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  for await (const event of router.stream(routed)) {
    if (event.type === 'text') yield chunk({ content: event.text }, null);
    else if (event.type === 'restart')
      yield `event: restart\ndata: ${JSON.stringify({ reason: event.reason })}\n\n`;
    else yield `${chunk({}, event.completion.finishReason)}data: [DONE]\n\n`;
  }
}

async function openLedger(): Promise<DatabaseLedger> {
  const database = await openDatabase(config.database);
  await migrate(database);
  return new DatabaseLedger(new ModelCallRepository(database), []);
}

app.setErrorHandler((error, _request, reply) => {
  const isBusy = isRagError(error) && error.code === 'model_overloaded';
  void reply.status(isBusy ? 503 : 502).send({ error: { message: String(error) } });
});
await app.listen({ port, host: '127.0.0.1' });
console.log('listening');

import { type ModelConfig, readConfig } from '#libs/config';
import { isRagError } from '#libs/errors';
import {
  failureKindOf,
  openChatModel,
  OpenAiCompatibleEmbeddingModel,
  OpenAiCompatibleReranker,
  priceAt,
} from '#libs/model-routing';

interface Check {
  model: string;
  provider: string;
  result: string;
  'first token ms': number | null;
  'total ms': number | null;
  tokens: string;
  'USD per 1M in/out': string;
}

const QUESTION = 'Answer with the single word: ready';
const OUTPUT_TOKENS_MAX = 16;

/** Calls each configured model once, prints a table, and fails when one does not answer. */
export async function runModelsCheck(): Promise<void> {
  const { models } = readConfig().models;
  const checks = await Promise.all(Object.values(models).map(check));
  if (checks.length === 0) {
    console.log(
      'No model is configured: answers are extractive. Set MODELS_FILE or CHAT_BASE_URL (docs/models.md).',
    );
    return;
  }
  console.table(checks);
  const failed = checks.filter(({ result }) => result !== 'ok').length;
  if (failed > 0) {
    console.error(`${failed} of ${checks.length} models did not answer.`);
    process.exitCode = 1;
  }
}

async function check(config: ModelConfig): Promise<Check> {
  const price = priceAt(config.prices);
  const row: Check = {
    model: config.name,
    provider: config.provider,
    result: 'ok',
    'first token ms': null,
    'total ms': null,
    tokens: '',
    'USD per 1M in/out': price ? `${price.input} / ${price.output}` : 'unknown',
  };
  const start = performance.now();
  const ms = () => Math.round(performance.now() - start);
  try {
    if (config.kind === 'chat') await checkChat(config, row, ms);
    else if (config.kind === 'embedding') await checkEmbedding(config);
    else await checkReranker(config);
    row['total ms'] = ms();
  } catch (error) {
    const message = isRagError(error) ? `${failureKindOf(error)}: ${error.message}` : String(error);
    row.result = message.replaceAll(/\s+/g, ' ').slice(0, 120);
  }
  return row;
}

async function checkChat(config: ModelConfig, row: Check, ms: () => number): Promise<void> {
  const chat = await openChatModel(config);
  try {
    const messages = [{ role: 'user' as const, content: QUESTION }];
    for await (const part of chat.stream({ messages, temperature: 0, maxOutputTokens: OUTPUT_TOKENS_MAX })) {
      if (part.type === 'text') row['first token ms'] ??= ms();
      else
        row.tokens = part.usage ? `${part.usage.inputTokens} + ${part.usage.outputTokens}` : 'not reported';
    }
  } finally {
    await chat.close();
  }
}

async function checkEmbedding(config: ModelConfig): Promise<void> {
  const model = new OpenAiCompatibleEmbeddingModel({ ...serverOf(config), dimensions: config.dimensions! });
  try {
    await model.embed([QUESTION], { kind: 'query' });
  } finally {
    await model.close();
  }
}

async function checkReranker(config: ModelConfig): Promise<void> {
  const model = new OpenAiCompatibleReranker(serverOf(config));
  try {
    await model.score(QUESTION, ['ready', 'not ready']);
  } finally {
    await model.close();
  }
}

function serverOf({ baseUrl, apiKey, model, headers, timeouts }: ModelConfig) {
  return { baseUrl: baseUrl!, model, headers, timeouts, ...(apiKey && { apiKey }) };
}

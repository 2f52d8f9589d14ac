import { LocalEmbeddingModel, OpenAiCompatibleEmbeddingModel, QuestionEmbeddings } from '#libs/model-routing';
import type { EmbeddingModel } from '#libs/model-routing';
import { MockLlm } from '../../test/mock-llm/index.js';
import { quantile } from './load.js';

const QUESTIONS = 100;
const ALONE = 40;
const CALL_MS = 20;
const query = { kind: 'query' as const };

export interface BatchingResult {
  model: string;
  oneByOneMs: number;
  batchedMs: number;
  aloneP50Ms: number;
  aloneBatchedP50Ms: number;
}

/** 100 questions at once, one call each against batches of 32; and one question at a time. */
export async function measureBatching(): Promise<BatchingResult[]> {
  const server = await MockLlm.start({ recordsRequests: false });
  server.embeddingMs = CALL_MS;
  server.isSerial = true; // as one GPU: the next call begins when the last one ended
  const remote = new OpenAiCompatibleEmbeddingModel({ baseUrl: server.url, model: 'letters', dimensions: 8 });
  const local = new LocalEmbeddingModel({ threads: 1 });
  await local.embed(['warm up'], query);
  const results = [
    await measure(`mock, ${CALL_MS} ms a call, one call at a time`, remote),
    await measure('built-in model, one thread', local),
  ];
  await Promise.all([remote.close(), local.close(), server.close()]);
  return results;
}

async function measure(name: string, model: EmbeddingModel): Promise<BatchingResult> {
  const batched = new QuestionEmbeddings(model, { textsMax: 32, waitMs: 100 });
  return {
    model: name,
    oneByOneMs: await together(model, 'a'),
    batchedMs: await together(batched, 'b'),
    aloneP50Ms: await alone(model, 'c'),
    aloneBatchedP50Ms: await alone(batched, 'd'),
  };
}

async function together(model: EmbeddingModel, salt: string): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: QUESTIONS }, (_, n) => model.embed([question(salt, n)], query)));
  return performance.now() - start;
}

async function alone(model: EmbeddingModel, salt: string): Promise<number> {
  const latencies: number[] = [];
  for (let n = 0; n < ALONE; n += 1) {
    const start = performance.now();
    await model.embed([question(salt, n)], query);
    latencies.push(performance.now() - start);
  }
  return quantile(latencies, 0.5);
}

function question(salt: string, number: number): string {
  return `How often is the oil of pump ${salt}-${number} changed when it runs day and night?`;
}

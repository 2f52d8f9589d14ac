import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import type { AcceptedView, JobView, RagstoneClient } from '../support/ragstone-client.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

/** Tries of one attempt of a job. */
const TRIES = 3;

describe('an embedding server that fails while documents are indexed', () => {
  let models: MockLlm;
  let api: TestApi;
  let client: RagstoneClient;
  let requestsAtMs: number[] = [];

  beforeAll(async () => {
    models = await MockLlm.start();
    models.beforeEmbedding = () => {
      requestsAtMs.push(performance.now());
      return null;
    };
    api = await startTestApi({
      EMBEDDINGS_BASE_URL: models.url,
      EMBEDDINGS_MODEL: 'mock',
      EMBEDDINGS_DIMENSIONS: String(models.dimensions),
    });
    client = api.client;
  });

  afterEach(() => {
    models.faults.length = 0;
    models.dimensions = 8;
    requestsAtMs = [];
  });

  afterAll(async () => {
    await api.close();
    await models.close();
  });

  async function index(text: string): Promise<{ job: JobView; accepted: AcceptedView }> {
    const { status, body } = await client.post<AcceptedView>('/index', { text, external_id: text });
    expect(status).toBe(202);
    return { job: await client.jobEnd(body), accepted: body };
  }

  async function isFound(text: string): Promise<boolean> {
    const { body } = await client.post<{ sources: { text: string }[] }>('/search', {
      question: text,
      mode: 'lexical',
    });
    return body.sources.some((source) => source.text.includes(text));
  }

  const nan = () => {
    const vector = Buffer.from(new Float32Array(8).fill(Number.NaN).buffer).toString('base64');
    return { body: JSON.stringify({ data: [{ index: 0, embedding: vector }] }) };
  };

  it.each([
    ['cuts its connections', () => ({ cut: true })],
    ['answers 500', () => ({ status: 500 })],
    ['answers 503', () => ({ status: 503 })],
    ['sends a vector that is not a number', nan],
    ['sends no JSON', () => ({ body: '<html>' })],
    ['sends too few vectors', () => ({ body: '{"data":[]}' })],
  ])('and %s, and later works: the job is tried again by itself', async (name, fault) => {
    for (let number = 0; number < TRIES + 1; number += 1) models.faults.push(fault());
    const { job } = await index(`While the server ${name}.`);
    expect(job).toMatchObject({ status: 'ready', attempts: 2, error: null });
    expect(await isFound(`While the server ${name}.`)).toBe(true);
  });

  it('and answers 429 is asked again no sooner than it says, also by the next attempt', async () => {
    for (let number = 0; number < TRIES; number += 1) {
      models.faults.push({ status: 429, headers: { 'retry-after': '2' } });
    }
    const { job } = await index('A text for a busy server.');
    expect(job).toMatchObject({ status: 'ready', attempts: 2 });
    expect(requestsAtMs).toHaveLength(TRIES + 1);
    const gaps = requestsAtMs.slice(1).map((atMs, number) => atMs - requestsAtMs[number]!);
    expect(Math.min(...gaps)).toBeGreaterThan(1_900);
  });

  it('and is slow is waited for', async () => {
    models.faults.push({ delayMs: 3_000 });
    expect((await index('A text for a slow server.')).job).toMatchObject({ status: 'ready', attempts: 1 });
  });

  it.each([
    ['sends vectors of another dimension', 'dimension_mismatch', () => void (models.dimensions = 9)],
    ['refuses the key', 'model_rejected_request', () => void models.faults.push({ status: 401 })],
  ])(
    'and %s: the job fails with a reason, stores nothing, and can be tried again',
    async (name, code, fail) => {
      fail();
      const text = `A text while it ${name}.`;
      const { job, accepted } = await index(text);
      expect(job).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: { code, stage: 'embed', retryable: false },
      });
      expect(await isFound(text)).toBe(false);
      expect((await client.get(`/documents/${accepted.document_id}/chunks`)).body).not.toHaveProperty(
        'chunks.0',
      );

      models.dimensions = 8;
      expect((await client.post(`/jobs/${job.job_id}/retry`, {})).status).toBe(202);
      expect(await client.jobEnd(job)).toMatchObject({ status: 'ready', error: null });
      expect(await isFound(text)).toBe(true);
    },
  );
});

import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import type { AcceptedView } from '../support/ragstone-client.js';
import { OwnStack, serverMissing } from '../support/stack.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

/** Of this very stack: no other test uses it. */
const PORT_BASE = 25_100;
const QUESTIONS = 20;

interface AnswerView {
  status: string;
  cache: string;
}

describe('a Redis that fails: questions and documents go on without it, and share again when it is well', () => {
  let own: OwnStack | undefined;
  let models: MockLlm;
  let api: TestApi;
  let redis: Redis;
  let asked = 0;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    own = await OwnStack.start(PORT_BASE, { services: ['redis'] });
    models = await MockLlm.start();
    api = await startTestApi({
      REDIS_URL: own.urls.REDIS_URL,
      ANSWER_CACHE: 'redis',
      RATE_LIMIT_USER: '1000/s burst 1000',
      CHAT_BASE_URL: models.url,
      CHAT_MODEL: 'writer',
    });
    redis = new Redis(own.urls.REDIS_URL, { retryStrategy: () => 100 });
    redis.on('error', () => undefined);
    await index('The lighthouse keeper winds the clockwork at nine.');
  });

  afterAll(async () => {
    redis?.disconnect();
    await api?.close();
    await models?.close();
    await own?.remove();
  });

  async function index(text: string): Promise<void> {
    const { status, body } = await api.client.post<AcceptedView>('/index', { text });
    expect(status).toBe(202);
    expect(await api.client.jobEnd(body)).toMatchObject({ status: 'ready' });
  }

  async function ask(question: string): Promise<AnswerView> {
    const { status, body } = await api.client.post<AnswerView>('/query', { question });
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  }

  const newQuestion = (): string => `When is the clockwork of tower ${(asked += 1)} wound?`;

  /** Asked twice, the second answer is the first one. */
  const isShared = async (): Promise<boolean> => {
    const question = newQuestion();
    await ask(question);
    return (await ask(question)).cache === 'hit';
  };

  it.each<[string, { begin: () => Promise<unknown>; end: () => Promise<unknown>; isWithout: boolean }]>([
    [
      'killed',
      { begin: () => own!.run('kill', 'redis'), end: () => own!.run('up', 'redis'), isWithout: true },
    ],
    ['frozen', { begin: () => signal('SIGSTOP'), end: () => signal('SIGCONT'), isWithout: true }],
    ['full, and keeps what it has', { begin: fill, end: empty, isWithout: true }],
    ['emptied', { begin: () => redis.flushall(), end: async () => undefined, isWithout: false }],
  ])('%s', async (_name, { begin, end, isWithout }) => {
    await waitFor('answers to be shared', isShared);
    await begin();
    try {
      const answers = await Promise.all(Array.from({ length: QUESTIONS }, () => ask(newQuestion())));
      for (let n = 0; n < 3; n += 1) answers.push(await ask(newQuestion()));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['answered']));
      expect(await isShared()).toBe(!isWithout);
      await index(`A note from the time without it, number ${asked}.`);
    } finally {
      await end();
    }
    await waitFor('answers to be shared again', isShared);
  });

  let pid = 0;
  async function signal(name: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    if (name === 'SIGSTOP') pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))![1]);
    process.kill(pid, name);
  }

  async function fill(): Promise<void> {
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.config('SET', 'maxmemory', '1mb'); // less than it has already: every write is refused
  }

  async function empty(): Promise<void> {
    await redis.config('SET', 'maxmemory', '0');
  }
});

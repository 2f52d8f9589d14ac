import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, runAsTenant } from '#libs/database';
import type { AnswerEvent } from '#libs/query';
import { AnswerStream } from './answer-streams.js';

/** Words without end, as fast as they are taken. */
function endlessAnswer() {
  const made = { words: 0, isEnded: false };
  async function* answer(): AsyncGenerator<AnswerEvent, void> {
    try {
      for (;;) {
        made.words += 1;
        yield { type: 'token', text: 'word ' };
        await setImmediate();
      }
    } finally {
      made.isEnded = true;
    }
  }
  const source = {
    request: { id: 'request', method: 'POST', url: '/query/stream' },
    isResumable: false,
    answer: () => answer(),
  };
  return { made, stream: runAsTenant(DEFAULT_TENANT, () => new AnswerStream(source, 60_000, 'id', null)) };
}

async function passTime(): Promise<void> {
  for (let turn = 0; turn < 1_000; turn += 1) await setImmediate();
}

describe('an answer that is streamed', () => {
  it('is read from its model at most 64 events ahead of its reader (row 19)', async () => {
    const { made, stream } = endlessAnswer();
    const leaving = new AbortController();
    await stream.start();
    const reader = stream.follow(0, leaving.signal);
    for (let read = 0; read < 10; read += 1) await reader.next();
    await passTime();
    expect(made.words).toBeLessThanOrEqual(10 + 64);
    const before = made.words;
    for (let read = 0; read < 100; read += 1) await reader.next();
    await passTime();
    expect(made.words).toBeGreaterThan(before);
    expect(made.words).toBeLessThanOrEqual(110 + 64);
    await reader.return();
    await passTime();
    expect(made.isEnded).toBe(true);
  });

  it('goes by the faster of two readers', async () => {
    const { made, stream } = endlessAnswer();
    await stream.start();
    const { signal } = new AbortController();
    const [slow, fast] = [stream.follow(0, signal), stream.follow(0, signal)];
    await slow.next();
    for (let read = 0; read < 200; read += 1) await fast.next();
    await passTime();
    expect(made.words).toBeLessThanOrEqual(200 + 64);
    expect((await slow.next()).value).toMatchObject({ number: 2 });
    await fast.return();
    await slow.return();
  });
});

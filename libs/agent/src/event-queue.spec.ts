import { expect, it } from 'vitest';
import { EventQueue } from './event-queue.js';

it('hands on what comes before and while somebody waits, in order, and then ends', async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.push(2);
  const seen: number[] = [];
  const reading = (async () => {
    for await (const event of queue) seen.push(event);
  })();
  await Promise.resolve();
  queue.push(3);
  queue.close();
  await reading;
  expect(seen).toEqual([1, 2, 3]);
});

it('fails after the events that came before the failure', async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.close({ error: new Error('gone') });
  const events = queue[Symbol.asyncIterator]();
  expect(await events.next()).toEqual({ value: 1, done: false });
  await expect(events.next()).rejects.toThrow('gone');
});

import { describe, expect, it } from 'vitest';
import { waitFor } from '../../../../test/support/wait-for.js';
import { PathQueue } from './path-queue.js';

/** Looks that end when the test lets them. */
function heldLooks() {
  const begun: string[] = [];
  const ends: Record<string, (againMs: number | null) => void> = {};
  const handle = (path: string) =>
    new Promise<number | null>((resolve) => {
      begun.push(path);
      ends[path] = resolve;
    });
  return { begun, ends, handle };
}

describe('PathQueue', () => {
  it('looks at a few paths at a time, at each once', async () => {
    const { begun, ends, handle } = heldLooks();
    const queue = new PathQueue(2, handle);
    for (const path of ['a', 'b', 'c', 'c', 'd']) queue.add(path);
    expect(begun).toEqual(['a', 'b']);
    ends.a!(null);
    await waitFor('c', () => begun.length === 3);
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(queue.size).toBe(3);
  });

  it('looks again at what has changed during its look, after it', async () => {
    const { begun, ends, handle } = heldLooks();
    const queue = new PathQueue(5, handle);
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(begun).toEqual(['a']);
    ends.a!(null);
    await waitFor('the second look', () => begun.length === 2);
    ends.a!(null);
    await waitFor('the end', () => queue.size === 0);
    expect(begun).toEqual(['a', 'a']);
  });

  it('looks again later when it is told to, and not sooner by another change', async () => {
    const { begun, ends, handle } = heldLooks();
    const queue = new PathQueue(1, handle);
    queue.add('a');
    ends.a!(3_600_000);
    queue.add('b');
    await waitFor('b', () => begun.length === 2);
    queue.add('a');
    ends.b!(1);
    await waitFor('b again', () => begun.length === 3);
    expect(begun).toEqual(['a', 'b', 'b']);
    ends.b!(null);
    await queue.close();
  });

  it('begins nothing in a pause, and goes on after it', async () => {
    const { begun, ends, handle } = heldLooks();
    const queue = new PathQueue(1, handle);
    queue.add('a');
    queue.pause(20);
    ends.a!(null);
    queue.add('b');
    expect(begun).toEqual(['a']);
    await waitFor('the end of the pause', () => begun.length === 2);
  });

  it('waits at its end for what is running, and begins nothing more', async () => {
    const { begun, ends, handle } = heldLooks();
    const queue = new PathQueue(1, handle);
    queue.add('a');
    queue.add('b');
    let isClosed = false;
    const close = async () => {
      await queue.close();
      isClosed = true;
    };
    const closing = close();
    await Promise.resolve();
    expect(isClosed).toBe(false);
    ends.a!(5);
    await closing;
    expect(begun).toEqual(['a']);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WriteFinish } from './write-finish.js';

const file = (signature: string, changedAtMs: number) => ({ kind: 'file' as const, signature, changedAtMs });

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('WriteFinish', () => {
  it('takes a file that nobody has touched for so long at the first look', () => {
    expect(new WriteFinish(2_000).remainingMs('a', file('1', 998_000))).toBe(0);
  });

  it('waits for the end of the changes', () => {
    const finish = new WriteFinish(2_000);
    expect(finish.remainingMs('a', file('1', 999_500))).toBe(1_500);
    vi.advanceTimersByTime(1_500);
    expect(finish.remainingMs('a', file('2', 1_001_400))).toBe(1_900);
    vi.advanceTimersByTime(1_900);
    expect(finish.remainingMs('a', file('2', 1_001_400))).toBe(0);
  });

  it('goes by its own clock when that of the file is ahead', () => {
    const finish = new WriteFinish(2_000);
    expect(finish.remainingMs('a', file('1', 9_000_000))).toBe(2_000);
    vi.advanceTimersByTime(1_999);
    expect(finish.remainingMs('a', file('1', 9_000_000))).toBe(1);
    expect(finish.remainingMs('a', file('2', 9_000_001)), 'changed').toBe(2_000);
    vi.advanceTimersByTime(2_000);
    expect(finish.remainingMs('a', file('2', 9_000_001))).toBe(0);
  });

  it('knows nothing of a file that was removed in between', () => {
    const finish = new WriteFinish(2_000);
    finish.remainingMs('a', file('1', 9_000_000));
    vi.advanceTimersByTime(1_999);
    finish.forget('a');
    expect(finish.remainingMs('a', file('1', 9_000_000))).toBe(2_000);
  });
});

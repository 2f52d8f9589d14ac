import { describe, expect, it } from 'vitest';
import { nextRefreshAt, parseRefreshInterval } from './refresh-interval.js';

const MINUTE_MS = 60_000;

describe('parseRefreshInterval', () => {
  it.each([
    ['PT5M', 5],
    ['PT6H', 360],
    ['PT300S', 5],
    ['PT1H30M', 90],
    ['P1D', 1_440],
    ['P2W', 20_160],
    ['P1W1DT1H1M60S', 11_582],
    ['P365D', 525_600],
  ])('reads %s', (text, minutes) => {
    expect(parseRefreshInterval(text)).toBe(minutes * MINUTE_MS);
  });

  const refused = `PT4M59S P365DT1S P53W PT0S P1Y P1M PT1.5H -PT6H PT-6H P PT P1DT T6H 6H pt6h PT6Hx PT6M6H PT99999999999H`;
  it.each([...refused.split(' '), ' PT6H', 'PT6H ', 'PT6H\n', '', 'hourly'])('refuses %j', (text) => {
    expect(() => parseRefreshInterval(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});

it('refreshes after the interval, and up to a tenth later', () => {
  const from = new Date('2026-11-21T08:00:00Z');
  expect(nextRefreshAt(from, 60 * MINUTE_MS, 0)).toEqual(new Date('2026-11-21T09:00:00Z'));
  expect(nextRefreshAt(from, 60 * MINUTE_MS, 0.5)).toEqual(new Date('2026-11-21T09:03:00Z'));
  for (let times = 0; times < 100; times += 1) {
    const delayMs = nextRefreshAt(from, 60 * MINUTE_MS).getTime() - from.getTime();
    expect(delayMs).toBeGreaterThanOrEqual(60 * MINUTE_MS);
    expect(delayMs).toBeLessThan(66 * MINUTE_MS + 1);
  }
});

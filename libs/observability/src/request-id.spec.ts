import { expect, it } from 'vitest';
import { newRequestId, timeOfRequestId } from './request-id.js';

it('is a UUID that knows its time, and sorts by it', () => {
  const ids = [1, 2, 3].map((ms) => newRequestId(Date.UTC(2026, 0, 1) + ms));
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids.map((id) => timeOfRequestId(id)! - Date.UTC(2026, 0, 1))).toEqual([1, 2, 3]);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(Array.from({ length: 1_000 }, () => newRequestId(7))).size).toBe(1_000);
});

it('does not guess the time of an id that a client chose', () => {
  expect(timeOfRequestId('mine-1')).toBeNull();
  expect(timeOfRequestId('30c1957e-9256-4bdd-8308-a3e3a1296c51')).toBeNull();
});

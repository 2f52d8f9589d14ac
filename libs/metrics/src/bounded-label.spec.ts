import { expect, it } from 'vitest';
import { BoundedLabel } from './bounded-label.js';

it('knows the first values by name for ever, and all others as one', () => {
  const label = new BoundedLabel(2);
  expect(['a', 'b', 'c', 'd', 'a', 'b'].map((value) => label.of(value))).toEqual([
    'a',
    'b',
    'other',
    'other',
    'a',
    'b',
  ]);
});

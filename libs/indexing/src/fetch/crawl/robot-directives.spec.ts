import { expect, it } from 'vitest';
import { robotDirectives } from './robot-directives.js';

it.each([
  [[], true, true],
  [['index, follow'], true, true],
  [['noindex'], false, true],
  [['NoFollow'], true, false],
  [['noindex,nofollow'], false, false],
  [['none'], false, false],
  [['otherbot: noindex'], true, true],
  [['otherbot: noindex, nofollow', 'noarchive'], true, true],
  [['Ragstone: noindex'], false, true],
  [['otherbot: noindex, ragstone: nofollow'], true, false],
  [['unavailable_after: 25 Jun 2030 15:00:00 PST, noindex'], false, true],
  [['max-snippet: 5', 'nofollow'], true, false],
])('reads %j as indexed: %s, followed: %s', (tags, isIndexed, isFollowed) => {
  expect(robotDirectives(tags)).toEqual({ isIndexed, isFollowed });
});

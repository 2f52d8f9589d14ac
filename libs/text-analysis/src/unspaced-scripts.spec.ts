import { expect, it } from 'vitest';
import { isMostlyUnspaced } from './unspaced-scripts.js';

it.each(['我们使用 SQL 吗', '東京タワー', 'ภาษาไทย', 'ភាសា', 'မြန်မာ', 'ພາສາ'])(
  'says that %s is mostly unspaced',
  (text) => expect(isMostlyUnspaced(text)).toBe(true),
);

it.each(['', '123 !?', '한국어 문장', 'Русский', 'the word 漢字 in English', 'العربية'])(
  'says that "%s" is not',
  (text) => expect(isMostlyUnspaced(text)).toBe(false),
);

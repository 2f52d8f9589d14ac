import { expect, it } from 'vitest';
import { maskSecrets } from './mask-secrets.js';

const key = `rs_Ab3dEf6hIj9k_${'z'.repeat(43)}`;

it.each([
  ['an API key, but for its public part', `no ${key}`, 'no rs_Ab3dEf6hIj9k_[secret]'],
  ['a key in a path', `GET /documents/${key} 422`, 'GET /documents/rs_Ab3dEf6hIj9k_[secret] 422'],
  ['a token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl', '[token]'],
  [
    "a provider's key",
    '"cause":"Incorrect API key sk-proj-abcdefghijklmnop1234"',
    '"cause":"Incorrect API key sk-proj-[secret]"',
  ],
  ['a header', '{"authorization":"Bearer abcdefgh12345678"}', '{"authorization":"Bearer [secret]"}'],
  ['a password in a URL', 'postgresql://ann:hunter2@db:5432/x', 'postgresql://ann:[secret]@db:5432/x'],
])('masks %s', (_what, line, masked) => {
  expect(maskSecrets(line)).toBe(masked);
});

it('leaves everything else as it is', () => {
  const line =
    '{"msg":"GET /documents 200 3 ms","url":"http://127.0.0.1:8000/docs","id":"01a1fd3b-70cc-7000-be8d-c693d7be739b"}';
  expect(maskSecrets(line)).toBe(line);
});

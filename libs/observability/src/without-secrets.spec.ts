import { expect, it } from 'vitest';
import { withoutSecrets } from './without-secrets.js';

it.each([
  ['rs_a1b2c3_0123456789abcdefghij', 'rs_a1b2c3_[redacted]'],
  ['Incorrect API key provided: sk-proj-abcdefgh12345678.', 'Incorrect API key provided: sk-[redacted].'],
  ['"authorization":"Bearer abcdefghijklm.nop"', '"authorization":"Bearer [redacted]"'],
  ['token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl', 'token [redacted]'],
  ['postgresql://ragstone:pa55word@db:5432/ragstone', 'postgresql://ragstone:[redacted]@db:5432/ragstone'],
])('takes the secret out of %s', (line, expected) => {
  expect(withoutSecrets(line)).toBe(expected);
});

it('leaves everything else as it is', () => {
  const line =
    '{"request_id":"30c1957e-9256-4bdd-8308-a3e3a1296c51","path":"/query","url":"http://a.example/b:c"}';
  expect(withoutSecrets(line)).toBe(line);
});

import { expect, it } from 'vitest';
import { hashSecret, isSecret, newApiKeyToken, parseApiKey, writeApiKey } from './api-key-token.js';

it('reads back what it has written, and no two keys are alike', () => {
  const tokens = Array.from({ length: 200 }, newApiKeyToken);
  for (const token of tokens) expect(parseApiKey(writeApiKey(token))).toEqual(token);
  expect(new Set(tokens.map(({ secret }) => secret)).size).toBe(200);
  expect(writeApiKey(tokens[0]!)).toMatch(/^rs_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/);
});

it('takes nothing that only looks like a key', () => {
  const key = writeApiKey(newApiKeyToken());
  for (const text of [
    '',
    'rs_',
    key.slice(0, -1),
    `${key}x`,
    ` ${key}`,
    key.replace('rs_', 'sk_'),
    `${key}\n`,
  ]) {
    expect(parseApiKey(text), text).toBeNull();
  }
});

it('knows the secret from every other one', () => {
  const { secret } = newApiKeyToken();
  expect(isSecret(secret, hashSecret(secret))).toBe(true);
  expect(isSecret(`${secret.slice(0, -1)}!`, hashSecret(secret))).toBe(false);
  expect(isSecret('', hashSecret(secret))).toBe(false);
});

import { expect, it } from 'vitest';
import { readModelName } from './asked-model.js';

it.each([
  ['ragstone', { kind: 'documents', model: undefined, collection: undefined }],
  ['ragstone@handbook', { kind: 'documents', model: undefined, collection: 'handbook' }],
  ['qwen3:8b', { kind: 'documents', model: 'qwen3:8b', collection: undefined }],
  ['openai/gpt-4.1@my.docs', { kind: 'documents', model: 'openai/gpt-4.1', collection: 'my.docs' }],
  ['direct/small', { kind: 'direct', chain: 'small' }],
  ['direct/openai/gpt-4.1', { kind: 'direct', chain: 'openai/gpt-4.1' }],
])('reads %s', (name, asked) => {
  expect(readModelName(name)).toEqual(asked);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { readConfig } from '../config.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-models-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(yaml: string, environment: Record<string, string> = {}) {
  const path = join(folder, `${Math.random()}.yaml`);
  await writeFile(path, yaml);
  return readConfig({ MODELS_FILE: path, ...environment });
}

describe('models.yaml', () => {
  it('as it comes with Ragstone is valid', () => {
    const path = join(projectFolder, 'models.yaml');
    const { models } = readConfig({ MODELS_FILE: path, OPENAI_API_KEY: 'sk-a', ANTHROPIC_API_KEY: 'sk-b' });
    expect(models.chains.default).toEqual(['gpt-primary', 'claude-backup', 'local-llama', 'extractive']);
    expect(models.models['claude-backup']).toMatchObject({
      apiKey: 'sk-b',
      baseUrl: 'https://api.anthropic.com/v1',
    });
    expect(models.models['gpt-primary']!.prices).toEqual([
      { from: '2025-04-14', input: 2, cachedInput: 0.5, cacheWrite: 2, output: 8, reasoning: 8 },
    ]);
    expect(models.budgets[0]).toEqual({
      per: 'tenant',
      subject: null,
      period: 'month',
      microUsd: 500_000_000,
    });
  });

  it('takes keys and headers from the environment by their names', async () => {
    const yaml = `
      models:
        azure: { provider: openai, model: gpt, base_url: "http://x/v1", headers: { api-key: "\${AZURE_KEY}" } }
      chains: { default: [azure] }`;
    const { models } = await read(yaml, { AZURE_KEY: 'secret' });
    expect(models.models.azure!.headers).toEqual({ 'api-key': 'secret' });
    await expect(read(yaml)).rejects.toThrow('the environment has no AZURE_KEY');
  });

  it('names every problem in one message, those of the environment too', async () => {
    const yaml = `
      models:
        a: { provider: openai, base_url: "ftp://x" , api_key: sk-in-the-file }
        b: { provider: openai, model: b, prices: [{ input: cheap, from: yesterday }] }
      chains: { default: [] }
      typo: 1`;
    await expect(read(yaml)).rejects.toThrow(
      /6 problems[^]*models.a.base_url: must be[^]*models.a.api_key: keys do not belong[^]*prices.0.from[^]*prices.0.input[^]*chains.default: must name a model[^]*typo/,
    );
    const references = `
      models:
        a: { provider: openai, model: a, api_key_env: NOT_SET }
        e: { provider: openai, model: e, kind: embedding }
      chains: { default: [a, extractive, nobody, e, a] }
      routes: { answer: { simple: default, medium: nowhere, complex: default } }
      embedding: a
      budgets: [{ per: model, subject: ghost, period: day, usd: 1 }]`;
    const error = await read(references, { CHAT_MODEL: 'x' }).catch((thrown: Error) => thrown.message);
    for (const problem of [
      'CHAT_BASE_URL, CHAT_MODEL: MODELS_FILE takes their place',
      'models.a.api_key_env: the environment has no NOT_SET',
      'models.e: also set dimensions',
      'extractive always answers, so it must be last',
      'there is no model "nobody"',
      '"e" is no chat model',
      '"a" is there twice',
      'there is no chain "nowhere"',
      'there is no embedding model "a"',
      'there is no model "ghost"',
      "models.a: budgets can't hold without its prices",
    ]) {
      expect(error).toContain(problem);
    }
  });

  it('says where the YAML is broken, and when the file is not there', async () => {
    await expect(read('models: {a: [')).rejects.toThrow(/line 1/);
    expect(() => readConfig({ MODELS_FILE: '/nowhere.yaml' })).toThrow("can't be read (ENOENT)");
  });

  it('may name the embedding model', async () => {
    const { embeddings } = await read(`
      models: { e: { provider: openai, kind: embedding, model: letters, dimensions: 8, base_url: "http://x/v1" } }
      chains: { default: [extractive] }
      embedding: e`);
    expect(embeddings).toMatchObject({ provider: 'openai-compatible', model: 'letters', dimensions: 8 });
  });
});

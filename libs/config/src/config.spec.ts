import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { environmentVariables, readConfig } from './config.js';

describe('readConfig', () => {
  it('runs embedded with local embeddings and no model when nothing is set', () => {
    expect(readConfig({})).toMatchObject({
      http: { host: '127.0.0.1', port: 8000 },
      database: { engine: 'pglite' },
      chunking: { chunkTokensMax: 400, overlapTokens: 60 },
      embeddings: { provider: 'local' },
      models: { models: {}, chains: { default: ['extractive'] } },
    });
  });

  it('switches to the server with DATABASE_URL and to OpenAI with a key', () => {
    const config = readConfig({ DATABASE_URL: 'postgresql://a@b/c', OPENAI_API_KEY: 'sk-x' });
    expect(config.database).toMatchObject({ engine: 'postgres', url: 'postgresql://a@b/c' });
    expect(config.embeddings).toMatchObject({
      provider: 'openai-compatible',
      apiKey: 'sk-x',
      dimensions: 1536,
    });
    expect(config.models).toMatchObject({
      models: { 'gpt-4.1-mini': { baseUrl: 'https://api.openai.com/v1', apiKey: 'sk-x' } },
      chains: { default: ['gpt-4.1-mini', 'extractive'] },
    });
  });

  it('sends the key of OpenAI to no other server', () => {
    const config = readConfig({
      OPENAI_API_KEY: 'sk-x',
      CHAT_BASE_URL: 'http://gpu-box/v1',
      CHAT_MODEL: 'm',
      EMBEDDINGS_BASE_URL: 'http://gpu-box/v1',
      EMBEDDINGS_MODEL: 'e',
      EMBEDDINGS_DIMENSIONS: '8',
    });
    expect(config.models.models.m!.apiKey).toBeNull();
    expect(config.embeddings).toMatchObject({ apiKey: null });
  });

  it('names every problem in one message', () => {
    const bad = { PORT: '99999', LOG_LEVEL: 'loud', INDEX_BYTES_MAX: 'many' };
    expect(() => readConfig(bad)).toThrow(/3 problems[^]*PORT[^]*INDEX_BYTES_MAX[^]*LOG_LEVEL[^]*\.env/);
    expect(() => readConfig({ CHUNK_OVERLAP_TOKENS: '300' })).toThrow('CHUNK_OVERLAP_TOKENS');
    expect(() => readConfig({ EMBEDDINGS_BASE_URL: 'http://x/v1' })).toThrow('EMBEDDINGS_DIMENSIONS');
    expect(() => readConfig({ CHAT_PRICE_INPUT_USD_PER_MILLION: '1' })).toThrow('set both or none');
  });

  it('reads lists with commas and keeps nonsense out of them', () => {
    const config = readConfig({
      FETCH_ALLOW_NETWORKS: '10.1.0.0/16, fd12:3456::/32,',
      FETCH_PORTS: '80,8443',
    });
    expect(config.fetch).toMatchObject({
      allowNetworks: ['10.1.0.0/16', 'fd12:3456::/32'],
      ports: [80, 8443],
    });
    expect(readConfig({})).toMatchObject({ fetch: { allowNetworks: [], ports: [] }, watch: null });
    for (const network of ['10.1.0.0', '10.1.0.0/33', 'intranet', '10.1.0.0/16 10.2.0.0/16', '*'])
      expect(() => readConfig({ FETCH_ALLOW_NETWORKS: network }), network).toThrow('FETCH_ALLOW_NETWORKS');
    expect(() => readConfig({ FETCH_PORTS: '80,http' })).toThrow('FETCH_PORTS');
    expect(() => readConfig({ FETCH_CONTACT: 'a\nb' })).toThrow('FETCH_CONTACT');
  });

  it('takes an empty value for unset and can not be changed afterwards', () => {
    const config = readConfig({ PORT: ' ', OPENAI_API_KEY: '' });
    expect(config.http.port).toBe(8000);
    expect(() => {
      (config.http as { port: number }).port = 1;
    }).toThrow(TypeError);
  });

  it('has each variable in .env.example, in the same order', async () => {
    const example = await readFile(join(projectFolder, '.env.example'), 'utf8');
    const names = Array.from(example.matchAll(/^#? ?([A-Z_]+)=/gm), ([, name]) => name);
    expect(names).toEqual(environmentVariables);
  });
});

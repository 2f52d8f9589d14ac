import { expect, it } from 'vitest';
import { FUZZ_TIMEOUT_MS, fuzzRequests, RequestFuzzer, sendFuzzed } from '../support/request-fuzzer.js';
import type { OpenApi } from '../support/schema-sampler.js';
import { describeOnEachStore } from '../support/stores.js';

describeOnEachStore('every route, asked for nonsense', {}, (open) => {
  it(
    'answers with a problem or a result: never a 500, never nothing',
    async () => {
      const { api } = open();
      const { client } = api;
      const document = await client.indexText('The bell rings at nine.', { metadata: { lang: 'en' } });
      const openApi = (await client.get<OpenApi>('/openapi.json')).body;
      const collections = await client.get<{ collections: { collection_id: string }[] }>('/collections');
      const texts = {
        '': ['bell', 'The bell', '', '2026-01-01', document.document_id],
        question: ['When does the bell ring?', '钟声', 'bell OR (', '"'],
        text: ['The bell rings at ten.', '# A\n\n- b', ''],
        collection: ['default', 'none', 'other'],
        name: ['default', 'other', 'x'],
        id: [
          document.document_id,
          document.job_id,
          collections.body.collections[0]!.collection_id,
          'default',
        ],
        url: ['http://127.0.0.1:1/', 'file:///etc/passwd', 'x'],
        file_path: ['notes.txt', '../x'],
        filter: ['{"lang":"en"}', '{"lang":{"$ne":1}}', '{'],
        language: ['english', 'simple', 'klingon'],
        model: ['extractive', 'gpt'],
        expires_at: ['2999-01-01T00:00:00Z', 'x'],
        key: ['lang', 'year', '$or'],
      };
      const headers = {
        'idempotency-key': ['k1', 'k2', 'not ok', ''],
        'last-event-id': ['1', 'x', '-1'],
        'x-user-id': ['ann', ' '],
        'x-request-id': ['a-b', '{}'],
        range: ['bytes=0-1'],
      };
      const fuzzer = new RequestFuzzer(openApi, texts, headers);
      const statuses = new Map<number, number>();
      for (let n = 0; n < fuzzRequests(fuzzer.routes.length * 12); n += 1) {
        const request = fuzzer.next(4);
        const shown = `${request.method} ${request.path.slice(0, 300)} ${typeof request.body === 'string' ? request.body.slice(0, 600) : request.body ? 'a form' : ''}`;
        const response = await sendFuzzed(api.url, request).catch((error: unknown) => {
          throw new Error(`no answer to ${shown}`, { cause: error });
        });
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        expect(response.status, `${shown}\n${response.text.slice(0, 500)}`).not.toBe(500);
        expect(response.text, shown).not.toMatch(/\n\s+at \S+ \(|node_modules/);
        if (response.status < 400 || request.route === 'GET /ready') continue;
        if (request.path.startsWith('/v1/')) {
          const error = { message: expect.stringMatching(/\S/), code: expect.stringMatching(/^[a-z_]+$/) };
          expect(JSON.parse(response.text), shown).toMatchObject({ error });
          continue;
        }
        if (request.path.startsWith('/mcp') && !response.contentType.includes('problem')) {
          expect(JSON.parse(response.text), shown).toMatchObject({ jsonrpc: '2.0', error: {} });
          continue;
        }
        expect(response.contentType, shown).toContain('application/problem+json');
        expect(JSON.parse(response.text), shown).toMatchObject({
          status: response.status,
          code: expect.stringMatching(/^[a-z_]+$/),
          detail: expect.stringMatching(/\S/),
          request_id: expect.any(String),
        });
      }
      // The fuzzer means it: much is refused, and much is taken.
      expect(statuses.get(200) ?? 0).toBeGreaterThan(fuzzer.routes.length);
      expect(statuses.get(422) ?? 0).toBeGreaterThan(fuzzer.routes.length);
      expect((await client.get('/ready')).status).toBe(200);
      expect((await client.get(`/documents/nothing`)).status).toBe(422);
    },
    FUZZ_TIMEOUT_MS,
  );
});

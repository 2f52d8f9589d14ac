import { expect, it } from 'vitest';
import { FUZZ_TIMEOUT_MS, fuzzRequests, RequestFuzzer, sendFuzzed } from '../support/request-fuzzer.js';
import type { OpenApi } from '../support/schema-sampler.js';
import { describeOnEachStore } from '../support/stores.js';
import { addTenant } from '../support/tenants.js';
import { fillVictim, IDEMPOTENCY_KEY, QUESTION, snapshot, words } from '../support/victim.js';

const limits = { RATE_LIMIT_GLOBAL: 'off', RATE_LIMIT_USER: 'off', RATE_LIMIT_ROUTES: 'off' };

describeOnEachStore('another tenant', { AUTH: 'on', ANSWER_CACHE: 'memory', ...limits }, (open) => {
  it(
    'gets nothing and changes nothing, whatever it asks for with foreign ids',
    async () => {
      const { api } = open();
      const victim = await fillVictim(api);
      const attacker = await addTenant(api);
      await attacker.client.indexText('Nothing is here.', { metadata: { lang: 'en' } });
      const before = await snapshot(victim);
      const openApi = (await api.client.get<OpenApi>('/openapi.json')).body;
      const fuzzer = new RequestFuzzer(
        openApi,
        {
          // What is stored may come back: foreign ids stand where something is looked up, and nowhere else.
          '': ['en', QUESTION],
          id: victim.ids,
          request_id: victim.ids,
          conversation_id: victim.ids,
          conversation: victim.ids,
          question: [QUESTION, 'Which place?', 'far away'],
          text: ['Mine.', 'Another place is near.'],
          collection: ['default', ...victim.ids],
          name: ['default', 'mine'],
          parent: victim.ids,
          document: victim.ids,
          user_id: ['ann', 'bob'],
          before: ['ffffffff-ffff-7fff-bfff-ffffffffffff', ...victim.ids],
          filter: ['{"lang":"en"}', '{"word":{"$exists":true}}', '{"lang":{"$ne":1}}'],
          key: ['lang', 'word', '$or'],
          language: ['english'],
          url: ['http://127.0.0.1:1/'],
          file_path: ['x'],
          model: ['extractive'],
          group_by: ['key', 'model,key,purpose'],
          from: ['2020-01-01'],
          to: ['2999-01-01'],
          expires_at: ['2999-01-01T00:00:00Z'],
        },
        {
          'idempotency-key': [IDEMPOTENCY_KEY],
          'x-user-id': ['ann', 'bob'],
          'x-tenant-id': [victim.tenant.id],
          'last-event-id': ['0', `${victim.stream}:0`],
        },
      );
      let answered = 0;
      let allSent = '';
      const requests = fuzzRequests(fuzzer.routes.length * 20);
      for (let n = 0; n < requests; n += 1) {
        const request = fuzzer.next(1);
        const { status, text } = await sendFuzzed(api.url, request, attacker.key);
        if (status < 300) answered += 1;
        const shown = `${request.method} ${request.path} ${typeof request.body === 'string' ? request.body : ''} -> ${status} ${text.slice(0, 500)}`;
        expect(status, shown).not.toBe(500);
        const sent = `${request.path} ${typeof request.body === 'string' ? request.body : ''}`;
        for (const word of Object.values(words)) expect(text.includes(word), shown).toBe(false);
        // The log of the attacker's own questions has what they named.
        const known = request.path.startsWith('/admin/queries') ? allSent : sent;
        allSent += sent;
        for (const id of victim.ids)
          if (!known.includes(id))
            expect(text.includes(id) && !(request.body instanceof FormData), shown).toBe(false);
        if (/^\/(documents|jobs|keys|conversations)\/[^/?]+/.test(request.path)) {
          const [, , id] = request.path.split(/[/?]/);
          if (victim.ids.includes(id!)) expect([400, 404, 409, 415, 422], shown).toContain(status);
        }
      }
      console.log(`${requests} requests with foreign ids, ${answered} of them answered: 0 leaks`);
      expect(answered).toBeGreaterThan(requests / 10);
      expect(await snapshot(victim)).toBe(before);
    },
    FUZZ_TIMEOUT_MS,
  );
});

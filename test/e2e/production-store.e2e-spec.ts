import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabaseWithoutTextSearch, startServerApi } from '../support/server-api.js';
import { serverMissing, type TestDatabase } from '../support/stack.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

const policies = {
  hr: 'Employees have thirty days of paid vacation a year. Vacation is requested in the portal.',
  it: 'Laptops are replaced every four years. Vacation of a laptop in the repair shop takes a week.',
  legal: 'Contracts need two signatures. The vacation clause is in appendix four.',
};

interface SearchView {
  sources: { document_id: string; title: string }[];
  degraded_reasons: string[];
}

const stores = [
  { name: 'embedded', missing: null, start: (): Promise<TestApi> => startTestApi() },
  {
    name: 'PostgreSQL behind pgBouncer',
    missing: serverMissing,
    start: (): Promise<TestApi> => startServerApi(),
  },
];

describe.each(stores)('metadata filters, $name', ({ missing, start }) => {
  let api: TestApi | undefined;

  beforeEach((context) => {
    if (missing) context.skip(missing);
  });

  beforeAll(async () => {
    if (missing) return;
    api = await start();
    for (const [department, text] of Object.entries(policies)) {
      await api.client.indexText(text, {
        title: department,
        external_id: department,
        metadata: { department, level: department.length },
      });
    }
  });

  afterAll(() => api?.close());

  const titles = async (filters: Record<string, unknown>, mode = 'hybrid') => {
    const { status, body } = await api!.client.post<SearchView>('/search', {
      question: 'How much vacation?',
      filters,
      mode,
    });
    expect(status).toBe(200);
    return body.sources.map(({ title }) => title).sort();
  };

  it.each(['hybrid', 'vector', 'lexical'])('keep documents by their metadata in %s mode', async (mode) => {
    expect(await titles({}, mode)).toEqual(['hr', 'it', 'legal']);
    expect(await titles({ department: 'it' }, mode)).toEqual(['it']);
    expect(await titles({ level: { $gte: 3 } }, mode)).toEqual(['legal']);
    expect(await titles({ $or: [{ department: 'hr' }, { level: 5 }] }, mode)).toEqual(['hr', 'legal']);
    expect(await titles({ department: { $nin: ['hr', 'it', 'legal'] } }, mode)).toEqual([]);
  });

  it('hold for answers, too', async () => {
    const { body } = await api!.client.ask('How many days of paid vacation do employees have?', {
      filters: { department: 'hr' },
    });
    expect(body.status).toBe('answered');
    expect(body.answer).toContain('thirty days');
    const other = await api!.client.ask('How many days of paid vacation do employees have?', {
      filters: { department: 'nobody' },
    });
    expect(other.body.status).toBe('no_evidence');
  });

  it('refuse an operator that does not exist, and say which', async () => {
    const { status, body } = await api!.client.post('/search', {
      question: 'vacation',
      filters: { level: { $near: 3 } },
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'filters.level.$near' }] });
    expect(body.detail).toContain('$contains');
  });

  it('see new metadata at once when the content is unchanged, and with the new version otherwise', async () => {
    await api!.client.indexText('The canteen opens at noon.', {
      external_id: 'canteen',
      metadata: { open: 12 },
    });
    expect(await titles({ open: 12 })).toHaveLength(1);
    const same = await api!.client.post('/index', {
      text: 'The canteen opens at noon.',
      external_id: 'canteen',
      metadata: { open: 13 },
    });
    expect(same.body.status).toBe('unchanged');
    expect(await titles({ open: 13 })).toHaveLength(1);
    expect(await titles({ open: 12 })).toEqual([]);
    await api!.client.indexText('The canteen opens at two.', {
      external_id: 'canteen',
      metadata: { open: 14 },
    });
    expect(await titles({ open: 14 })).toHaveLength(1);
  });

  it('are counted: a search that got fewer chunks than it asked for', async () => {
    const text = await (await fetch(`${api!.url}/metrics`)).text();
    expect(text).toMatch(/^ragstone_vector_searches_total\{method="(exact|hnsw)"\} [1-9]/m);
    expect(text).toMatch(/^ragstone_vector_searches_short_total\{healed="false"\} [1-9]/m);
    expect(text).toMatch(/^vector_search_duration_seconds_count\{method="\w+"\} [1-9]/m);
  });
});

describe('a server without pg_textsearch', () => {
  let api: TestApi | undefined;
  let server: TestDatabase | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    server = await createDatabaseWithoutTextSearch();
    api = await startServerApi({}, server);
    for (const [department, text] of Object.entries(policies)) {
      await api.client.indexText(text, {
        title: department,
        external_id: department,
        metadata: { department },
      });
    }
    await api.client.indexText('仓库每天晚上十点关闭。', { title: 'zh', external_id: 'zh' });
  });

  afterAll(async () => {
    await api?.close();
    await server?.drop();
  });

  const lexical = (question: string, filters = {}) =>
    api!.client.post<SearchView>('/search', { question, mode: 'lexical', filters });

  it('searches words by ts_rank, and every answer says so', async () => {
    const { body } = await lexical('laptop replaced');
    expect(body.sources[0]!.title).toBe('it');
    expect(body.degraded_reasons).toEqual(['lexical_ts_rank']);
    const answer = await api!.client.ask('How often are laptops replaced?');
    expect(answer.body).toMatchObject({ status: 'degraded', degraded_reasons: ['lexical_ts_rank'] });
    expect(answer.body.answer).toContain('four years');
  });

  it('finds Chinese, filters, and quotes that would be operators', async () => {
    expect((await lexical('仓库几点关闭？')).body.sources[0]!.title).toBe('zh');
    expect((await lexical('vacation', { department: 'legal' })).body.sources).toHaveLength(1);
    expect((await lexical(`vacation' & ! | (:* \\ "`)).status).toBe(200);
    expect((await lexical('the of and')).body.sources).toEqual([]);
  });

  it('has nothing degraded in a search by vectors alone', async () => {
    const { body } = await api!.client.post<SearchView>('/search', { question: 'vacation', mode: 'vector' });
    expect(body.degraded_reasons).toEqual([]);
    expect(body.sources.length).toBeGreaterThan(0);
  });

  it('says no evidence where there is none', async () => {
    const { body } = await api!.client.ask('Which Kubernetes operator runs our Redis cluster?');
    expect(body.status).toBe('no_evidence');
  });
});

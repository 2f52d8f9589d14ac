import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { runAsTenant } from '#libs/database';
import { describeOnEachEngine } from '../../../../test/support/engines.js';
import { loggedQuery } from '../../../../test/support/logged-query.js';
import { QueryLogDays } from './query-log-days.js';
import { QueryLogRepository } from './query-log.repository.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

describeOnEachEngine('the query log', (open) => {
  const repository = () => new QueryLogRepository(open());
  const asNewTenant = <T>(work: () => Promise<T>) => runAsTenant(randomUUID(), work);

  it('gives back what it was given, newest first, with the feedback on it', () =>
    asNewTenant(async () => {
      const log = repository();
      const first = loggedQuery({
        createdAt: new Date(Date.now() - 2_000),
        status: 'degraded',
        degradedReasons: ['model_unavailable', 'citation_unverified'],
        userId: 'ada',
        keyId: 'k1',
        question: 'When?',
        inputTokens: 7,
        outputTokens: 3,
        costMicroUsd: null,
        chunkIds: [randomUUID(), randomUUID()],
        traceId: '0af7651916cd43dd8448eb211c80319c',
      });
      const second = loggedQuery({ createdAt: new Date(Date.now() - 1_000) });
      await log.insert([first, second]);
      await log.insert([first]); // a batch whose answer was lost is sent again
      const given = await log.saveFeedback(first.requestId, 'up', null);
      const changed = await log.saveFeedback(first.requestId, 'down', 'wrong page');
      expect(changed).toMatchObject({ thumb: 'down', comment: 'wrong page', createdAt: given!.createdAt });
      expect(await log.list({ since: new Date(0), limit: 9 })).toEqual([
        { ...second, feedback: null },
        { ...first, feedback: { thumb: 'down', comment: 'wrong page' } },
      ]);
    }));

  it('finds by status, by feedback and page by page', () =>
    asNewTenant(async () => {
      const log = repository();
      const entries = Array.from({ length: 7 }, (_, index) =>
        loggedQuery({
          createdAt: new Date(Date.now() - index * 1_000),
          status: index % 2 === 0 ? 'no_evidence' : 'answered',
        }),
      );
      await log.insert(entries);
      await log.saveFeedback(entries[3]!.requestId, 'down', null);
      const ids = async (filter: Partial<Parameters<QueryLogRepository['list']>[0]>) =>
        (await log.list({ since: new Date(0), limit: 9, ...filter })).map(({ requestId }) => requestId);
      const wanted = entries
        .filter(({ status }) => status === 'no_evidence')
        .map(({ requestId }) => requestId);
      expect(await ids({ statuses: ['no_evidence'] })).toEqual(wanted);
      const search = loggedQuery({ kind: 'search', status: 'no_evidence' });
      await log.insert([search]);
      expect(await ids({ kind: 'search' })).toEqual([search.requestId]);
      expect(await ids({ kind: 'ask', statuses: ['no_evidence'] })).toEqual(wanted);
      expect(await ids({ thumb: 'down' })).toEqual([entries[3]!.requestId]);
      expect(await ids({ kind: 'ask', since: entries[1]!.createdAt })).toHaveLength(2);
      const page = await ids({ kind: 'ask', statuses: ['no_evidence'], limit: 2 });
      const next = await ids({ kind: 'ask', statuses: ['no_evidence'], limit: 2, before: entries[2]! });
      expect([...page, ...next]).toEqual(wanted);
    }));

  it('takes no feedback on a question that it does not have', () =>
    asNewTenant(async () => {
      expect(await repository().saveFeedback(randomUUID(), 'up', null)).toBeNull();
    }));

  it('sums up a window of time, in all and by model', () =>
    asNewTenant(async () => {
      const log = repository();
      const latencies = Array.from({ length: 100 }, (_, index) => index + 1);
      await log.insert([
        ...latencies.map((latencyMs) =>
          loggedQuery({ model: 'large', latencyMs, costMicroUsd: 10, inputTokens: 2, outputTokens: 1 }),
        ),
        loggedQuery({ status: 'no_evidence', latencyMs: 50.5 }),
        loggedQuery({ status: 'failed', model: null, latencyMs: 9_000, costMicroUsd: null }),
        loggedQuery({ createdAt: new Date(Date.now() - 600_000), latencyMs: 9_000 }),
        loggedQuery({ kind: 'search', model: null, status: 'no_evidence', latencyMs: 9_000 }),
      ]);
      const summary = await log.summarize(new Date(Date.now() - 300_000));
      expect(summary).toMatchObject({
        queries: 102,
        failed: 1,
        noEvidence: 1,
        averageLatencyMs: 50.5,
        costMicroUsd: 1_000,
        inputTokens: 200,
        outputTokens: 100,
      });
      expect(summary.p95LatencyMs).toBeCloseTo(95, 6);
      expect(summary.byModel.map(({ model, queries }) => [model, queries])).toEqual([
        ['large', 100],
        ['extractive', 1],
        [null, 1],
      ]);
    }));

  it('makes a partition a day, moves early rows there, drops old days, and may run at any time', async () => {
    const log = repository();
    const tenant = randomUUID();
    const days = new QueryLogDays(open(), 30);
    const today = Date.parse(new Date().toISOString().slice(0, 10));
    const noon = (day: number) => new Date(today + day * DAY_MS + DAY_MS / 2);
    const partitions = async () =>
      (
        await runAsTenant(tenant, () =>
          open().query<{ day: string; rows: number }>({
            text: `
              select tableoid::regclass::text as day, count(*)::integer as rows
              from query_logs group by 1 order by 1`,
          }),
        )
      ).map(({ day, rows }) => [day, rows]);
    const name = (day: number) => `query_logs_${noon(day).toISOString().slice(0, 10).replaceAll('-', '')}`;

    await runAsTenant(tenant, () =>
      log.insert([
        loggedQuery({ createdAt: noon(0) }),
        loggedQuery({ createdAt: noon(1) }),
        loggedQuery({ createdAt: noon(-40) }), // of a time before there were partitions
      ]),
    );
    expect(await partitions()).toEqual([['query_logs_default', 3]]);
    const [{ made }, again] = [await days.maintain(), await days.maintain()];
    expect(made).toEqual([name(0), name(1), name(2), name(3)]);
    expect(again).toEqual({ made: [], dropped: [] });
    expect(await partitions()).toEqual([
      [name(0), 1],
      [name(1), 1],
    ]);

    const later = await Promise.all([days.maintain(noon(31)), days.maintain(noon(31))]);
    expect(later.flatMap(({ dropped }) => dropped)).toEqual([name(0)]);
    expect(await partitions()).toEqual([[name(1), 1]]);
    await runAsTenant(randomUUID(), async () =>
      expect(await open().query({ text: `select * from ${name(1)}` })).toEqual([]),
    );
  });
});

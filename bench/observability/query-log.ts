import { Client } from 'pg';
import { type Database } from '#libs/database';
import { newRequestId, type QueryLogEntry, QueryLogDays, QueryLogRepository } from '#libs/observability';
import {
  benchDatabase,
  type BenchDatabase,
  createBenchDatabase,
  openBenchDatabase,
} from '../store/bench-database.js';
import { percentile } from '../store/statistics.js';

const DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1_000;
const WINDOW_MS = 300_000;
/** As many questions as a service ten times as busy has in five minutes. */
const BUSY_WINDOW_MS = 10 * WINDOW_MS;
const RUNS = 300;

/** The query log with this many rows of 30 days: what its readers and its writer cost, through the pooler. */
export async function measureQueryLog(rows: number): Promise<void> {
  await readQueryLog(await fillQueryLog(rows));
}

/** @returns the name of the database, for `readQueryLog`: filling takes minutes, and reading wants a machine for itself */
export async function fillQueryLog(rows: number): Promise<string> {
  const server = await createBenchDatabase();
  const database = await openBenchDatabase(server.urls, 'pooled');
  try {
    await fill(server, database, rows);
  } finally {
    await database.close();
  }
  return new URL(server.urls.owner).pathname.slice(1);
}

export async function readQueryLog(name: string): Promise<void> {
  const server = benchDatabase(name);
  const database = await openBenchDatabase(server.urls, 'pooled');
  try {
    await report(new QueryLogRepository(database));
  } finally {
    await database.close();
    await server.drop();
  }
}

async function fill(server: BenchDatabase, database: Database, rows: number): Promise<void> {
  const days = new QueryLogDays(database, DAYS + 1);
  for (let day = DAYS; day >= 0; day -= 1) await days.maintain(new Date(Date.now() - day * DAY_MS));
  const owner = new Client({ connectionString: server.urls.owner });
  await owner.connect();
  try {
    const start = performance.now();
    await owner.query(
      `insert into query_logs (request_id, created_at, status, degraded_reasons, collection, mode, user_id, model, cache,
         input_tokens, output_tokens, cost_micro_usd, latency_ms, timings_ms, chunk_ids)
       select gen_random_uuid()::text, now() - (n::float8 / $1) * interval '30 days',
         (array['answered', 'answered', 'answered', 'answered', 'answered', 'answered', 'answered', 'answered', 'no_evidence', 'degraded'])[1 + n % 10],
         '{}', 'default', 'hybrid', 'user-' || n % 1000, 'model-' || n % 5, 'miss', 1200, 150, 400,
         50 + 1000 * random(), '{"embed": 12.5, "vector": 4.1, "lexical": 8.2, "rank": 6.6, "answer": 812.3, "total": 843.7}',
         array[gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid()]
       from generate_series(1, $1::integer) n`,
      [rows],
    );
    await owner.query('vacuum analyze query_logs');
    const size = await owner.query<{ bytes: string }>(
      `select sum(pg_total_relation_size(inhrelid)) as bytes from pg_inherits where inhparent = 'query_logs'::regclass`,
    );
    const seconds = (performance.now() - start) / 1_000;
    console.log(
      `${rows} rows of ${DAYS} days in ${Math.round(seconds)} s, ${(Number(size.rows[0]!.bytes) / rows).toFixed(0)} bytes a row with indexes`,
    );
  } finally {
    await owner.end();
  }
}

async function report(log: QueryLogRepository): Promise<void> {
  const [newest] = await log.list({ since: new Date(0), limit: 1 });
  const filledAt = newest!.createdAt.getTime();
  for (const windowMs of [WINDOW_MS, BUSY_WINDOW_MS]) {
    const since = new Date(filledAt - windowMs);
    const { queries } = await log.summarize(since);
    await time(`GET /metrics/summary, ${queries} questions in its window`, () => log.summarize(since));
  }
  const dayAgo = new Date(filledAt - DAY_MS);
  await time('GET /admin/queries?status=no_evidence', () =>
    log.list({ statuses: ['no_evidence'], since: dayAgo, limit: 50 }),
  );
  const [known] = await log.list({
    since: new Date(filledAt - 20 * DAY_MS),
    until: new Date(filledAt - 19 * DAY_MS),
    limit: 1,
  });
  await time('feedback on a question of 19 days ago', () => log.saveFeedback(known!.requestId, 'up', null));
  await time('writing 100 questions', () => log.insert(Array.from({ length: 100 }, () => entry())), 50);
}

async function time(name: string, work: () => Promise<unknown>, runs = RUNS): Promise<void> {
  for (let warm = 0; warm < 10; warm += 1) await work();
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  const shown = [0.5, 0.95, 0.99].map((share) => `p${share * 100} ${percentile(times, share).toFixed(2)} ms`);
  console.log(`${name}: ${shown.join(', ')}`);
}

function entry(): QueryLogEntry {
  return {
    kind: 'ask',
    requestId: newRequestId(),
    createdAt: new Date(),
    status: 'answered',
    errorCode: null,
    degradedReasons: [],
    collection: 'default',
    mode: 'hybrid',
    userId: 'user-1',
    keyId: null,
    question: null,
    model: 'model-1',
    cache: 'miss',
    inputTokens: 1_200,
    outputTokens: 150,
    costMicroUsd: 400,
    latencyMs: 843.7,
    timings: { embed: 12.5, vector: 4.1, lexical: 8.2, rank: 6.6, answer: 812.3, total: 843.7 },
    chunkIds: Array.from({ length: 5 }, () => crypto.randomUUID()),
    traceId: null,
  };
}

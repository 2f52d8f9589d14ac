import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { PgBossJobQueue } from '#libs/jobs';
import { createBenchDatabase, openBenchDatabase } from '../../store/bench-database.js';
import { CpuMeter, cpuOf } from '../../store/cpu-meter.js';
import { importPeer } from '../../store/import-peer.js';
import { type Section, shown, table, thousands, times } from '../../store/report.js';
import { servicePid } from '../../store/service-pid.js';
import { median } from '../../store/statistics.js';
import { loadNow } from '../load.js';
import type { Options } from '../options.js';

const CONCURRENCY = 10;

interface BullMq {
  Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: object, options: object): Promise<unknown>;
    obliterate(options: { force: boolean }): Promise<void>;
    close(): Promise<void>;
  };
  Worker: new (
    name: string,
    handler: () => Promise<void>,
    options: object,
  ) => NodeJS.EventEmitter & { close(): Promise<void>; waitUntilReady(): Promise<unknown> };
}

/** Jobs a second, each of the two steps alone; processor time of both steps, ms a job, servers included. */
interface JobRates {
  enqueued: number;
  worked: number;
  cpu: number;
}

/** Our queue and BullMQ, empty handlers, the same concurrency, in turn. */
export async function measureJobs({ jobs, rounds }: Options): Promise<Section> {
  const load = loadNow();
  Logger.overrideLogger(['error']); // in a terminal, a line a job would be most of the work
  const bench = await createBenchDatabase();
  const owner = new Client({ connectionString: bench.urls.owner });
  const database = await openBenchDatabase(bench.urls, 'pooled');
  try {
    await owner.connect();
    const meter = new CpuMeter(owner, bench.urls.pooled);
    const bullMq = await importPeer<BullMq>('bullmq');
    const redisUrl = process.env['REDIS_URL'];
    const ways: { name: string; run: () => Promise<JobRates>; rates: JobRates[] }[] = [
      { name: 'Ragstone', run: () => runOurs(database, meter, jobs), rates: [] },
    ];
    if (bullMq && redisUrl) {
      ways.push({ name: 'BullMQ 6.7.0', run: () => runBullMq(bullMq, redisUrl, jobs), rates: [] });
    }
    for (let round = 0; round <= rounds; round += 1) {
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        const rates = await way.run();
        if (round > 0) way.rates.push(rates);
      }
    }
    const [ours, theirs] = ways;
    const against = (of: (rates: JobRates) => number) =>
      times(median(ours!.rates.map((rates, round) => of(rates) / of(theirs!.rates[round]!))));
    return {
      title: 'Jobs, beside BullMQ',
      body: `${thousands(jobs)} jobs a round, ${rounds} rounds, load average ${load}, ${CONCURRENCY} submits and ${CONCURRENCY} handlers at a time, handlers that do nothing, no
worker while jobs are added. A job of ours is added in a transaction of its own through pgBouncer; BullMQ's by one \`add\` to Redis without
persistence, and no transaction could hold it together with a document. Processor time with all servers.
${theirs ? '' : '\nBullMQ was not measured: `npm ci` in bench/peers, and REDIS_URL.\n'}
${table(
  ['', 'added/s', 'worked/s', 'CPU ms/job'],
  [
    ...ways.map(({ name, rates }) => [
      name,
      thousands(median(rates.map(({ enqueued }) => enqueued))),
      thousands(median(rates.map(({ worked }) => worked))),
      shown(median(rates.map(({ cpu }) => cpu))),
    ]),
    ...(theirs
      ? [
          [
            '**Ragstone : BullMQ**',
            against(({ enqueued }) => enqueued),
            against(({ worked }) => worked),
            against(({ cpu }) => cpu),
          ],
        ]
      : []),
  ],
)}`,
    };
  } finally {
    await database.close();
    await owner.end();
    await bench.drop();
  }
}

async function runOurs(
  database: Awaited<ReturnType<typeof openBenchDatabase>>,
  meter: CpuMeter,
  jobs: number,
): Promise<JobRates> {
  const queue = new PgBossJobQueue(database);
  await queue.start();
  const before = await meter.read();
  const enqueued = await rateOf(jobs, () =>
    database.transaction((tx) => queue.enqueue('index-document', { jobId: randomUUID() }, tx)),
  );
  let done = 0;
  const all = Promise.withResolvers<void>();
  const start = performance.now();
  await queue.work('index-document', { concurrency: CONCURRENCY }, () => {
    done += 1;
    if (done === jobs) all.resolve();
    return Promise.resolve({ outcome: 'done' });
  });
  queue.wake();
  await all.promise;
  const worked = (jobs * 1_000) / (performance.now() - start);
  const after = await meter.read();
  await queue.stop();
  const used = after.node - before.node + after.postgres - before.postgres + after.pooler - before.pooler;
  return { enqueued, worked, cpu: used / jobs };
}

async function runBullMq({ Queue, Worker }: BullMq, redisUrl: string, jobs: number): Promise<JobRates> {
  const name = `ragstone-bench-${randomUUID()}`;
  const connection = { url: redisUrl };
  const queue = new Queue(name, { connection });
  const server = servicePid('redis', redisUrl);
  const used = async () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000 + (server === null ? Number.NaN : await cpuOf(server));
  };
  const before = await used();
  const enqueued = await rateOf(jobs, () =>
    queue.add('index-document', { jobId: randomUUID() }, { attempts: 6 }),
  );
  let done = 0;
  const all = Promise.withResolvers<void>();
  const start = performance.now();
  const worker = new Worker(name, () => Promise.resolve(), { connection, concurrency: CONCURRENCY });
  worker.on('completed', () => {
    done += 1;
    if (done === jobs) all.resolve();
  });
  worker.on('error', all.reject);
  await all.promise;
  const worked = (jobs * 1_000) / (performance.now() - start);
  const cpu = ((await used()) - before) / jobs;
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return { enqueued, worked, cpu };
}

/** A second. */
async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  return (count * 1_000) / (performance.now() - start);
}

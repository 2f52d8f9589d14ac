import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { projectFolder } from '#libs/project-files';
import { type BenchDatabase, createBenchDatabase } from '../store/bench-database.js';
import { median } from '../store/statistics.js';

const DOCUMENTS = 200;
const CLIENTS = 4;
const WARM_UP = 300;

interface Variant {
  name: string;
  environment: Record<string, string>;
}

const OFF = { LOG_LEVEL: 'silent', BENCH_WITHOUT: 'metrics,query-log' };

function variants(collector: string): Variant[] {
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_SAMPLER_ARG: '0.1' };
  return [
    { name: 'nothing', environment: OFF },
    { name: 'metrics', environment: { ...OFF, BENCH_WITHOUT: 'query-log' } },
    { name: 'query log', environment: { ...OFF, BENCH_WITHOUT: 'metrics' } },
    { name: 'log lines', environment: { ...OFF, LOG_LEVEL: 'info' } },
    { name: 'traces, 10 % kept', environment: { ...OFF, ...tracing } },
    { name: 'all of it', environment: { LOG_LEVEL: 'info', ...tracing } },
  ];
}

/** Processor time of the api's process a question, with and without what watches it. Variants take turns. */
export async function measureOverhead(rounds: number, questions: number): Promise<void> {
  const server = await createBenchDatabase();
  const collector = await startCollector();
  const services: Service[] = [];
  try {
    for (const variant of variants(collector.url)) services.push(await Service.start(variant, server));
    await fill(services[0]!);
    for (const service of services) await service.ask(WARM_UP);
    const costs = new Map<string, number[]>(services.map(({ variant }) => [variant.name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const service of round % 2 === 0 ? services : services.toReversed()) {
        const before = await service.cpuUs();
        await service.ask(questions);
        costs.get(service.variant.name)!.push(((await service.cpuUs()) - before) / questions);
      }
    }
    const bare = costs.get('nothing')!;
    console.log(
      `${rounds} rounds of ${questions} questions, ${CLIENTS} clients; CPU us a question, and its share beyond "nothing" (median of the rounds)`,
    );
    for (const [name, us] of costs) {
      const share = median(us.map((cost, round) => cost / bare[round]! - 1));
      console.log(`${name}: ${median(us).toFixed(0)} us, ${(share * 100).toFixed(1)} %`);
    }
  } finally {
    for (const service of services) await service.stop();
    collector.server.close();
    collector.server.closeAllConnections();
    await server.drop();
  }
}

class Service {
  private asked = 0;

  private constructor(
    readonly variant: Variant,
    private readonly child: ChildProcess,
    private readonly pool: Pool,
    readonly databaseEnvironment: Record<string, string>,
  ) {}

  static async start(variant: Variant, { urls }: BenchDatabase): Promise<Service> {
    const databaseEnvironment = { DATABASE_URL: urls.pooled, DATABASE_DIRECT_URL: urls.owner };
    const child = fork(join(projectFolder, 'dist/bench/observability/child.js'), {
      env: {
        ...process.env,
        ...databaseEnvironment,
        PORT: '0',
        ANSWER_CACHE: 'off',
        EMBEDDING_THREADS: '1',
        LOG_FORMAT: 'json',
        ...variant.environment,
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    return new Service(variant, child, new Pool(url, { connections: CLIENTS }), databaseEnvironment);
  }

  async cpuUs(): Promise<number> {
    this.child.send('cpu');
    const [{ cpuUs }] = (await once(this.child, 'message')) as [{ cpuUs: number }];
    return cpuUs;
  }

  /** Of twenty questions, so that their vectors are remembered: what is measured is not the embedding model. */
  async ask(count: number): Promise<void> {
    const end = this.asked + count;
    const client = async () => {
      while (this.asked < end) {
        this.asked += 1;
        const question = `How often does the pump P-${this.asked % 20} need an oil change?`;
        await this.post('/query', { question, user_id: 'ada' });
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  async post(path: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const reply = await this.pool.request({ method: 'POST', path, headers, body: JSON.stringify(body) });
    const text = await reply.body.text();
    if (reply.statusCode >= 300) throw new Error(`${path}: ${reply.statusCode} ${text}`);
  }

  async untilIndexed(count: number): Promise<void> {
    for (;;) {
      const { body } = await this.pool.request({
        method: 'GET',
        path: '/jobs?status=ready&kind=index_document&limit=200',
      });
      const { jobs } = (await body.json()) as { jobs: unknown[] };
      if (jobs.length >= count) return;
      await sleep(200);
    }
  }

  async stop(): Promise<void> {
    await this.pool.close();
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.send('end');
    await exited;
  }
}

async function fill(service: Service): Promise<void> {
  const worker = fork(join(projectFolder, 'dist/apps/worker/src/main.js'), {
    env: { ...process.env, ...service.databaseEnvironment, EMBEDDING_THREADS: '1', LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({
      text: `The pump P-${n} needs an oil change every ${100 + n} hours. Its oil is ISO VG ${n % 7}. It stands in hall ${n % 9}.`,
      title: `Pump ${n}`,
    }));
    await service.post('/index/batch', { documents });
    await service.untilIndexed(DOCUMENTS);
  } finally {
    const exited = once(worker, 'exit');
    worker.kill('SIGTERM');
    await exited;
  }
}

async function startCollector(): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    request
      .resume()
      .once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

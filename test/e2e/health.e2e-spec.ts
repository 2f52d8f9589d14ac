import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { makeCertificate } from '../support/certificate.js';
import { newDatabaseName } from '../support/server-api.js';
import { ServerProcess } from '../support/server-process.js';
import { createTestDatabase, OwnStack, serverMissing } from '../support/stack.js';
import { describeOnEachStore } from '../support/stores.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

interface ReadinessView {
  status: string;
  uptime_seconds: number;
  checks: Record<string, { status: string; message: string; ms: number; checked_at: string }>;
}

describeOnEachStore('health', {}, (open) => {
  it('says of each thing that requests need how it is, and how long that took', async () => {
    const { client } = open().api;
    await client.indexText('The archive room opens with code 4711.');
    const { status, body } = await waitFor('the worker to be seen', async () => {
      const reply = await client.get<ReadinessView>('/ready');
      return reply.body.checks.worker!.status === 'ok' && reply;
    });
    expect(status).toBe(200);
    expect(body.status).toBe('ready');
    expect(Object.keys(body.checks)).toEqual([
      'database',
      'vector_search',
      'extensions',
      'migrations',
      'queue',
      'worker',
      'models',
      'disk',
    ]);
    for (const [name, check] of Object.entries(body.checks)) {
      expect(check.ms, name).toBeGreaterThanOrEqual(0);
      expect(Date.parse(check.checked_at), name).not.toBeNaN();
      if (name !== 'disk') expect(check, name).toMatchObject({ status: 'ok' }); // how full this disk is nobody knows
    }
    expect(body.checks.vector_search!.message).toContain('found a chunk');
    expect(body.checks.models!.message).toContain('letters: closed');
  });

  it('lives whatever happens elsewhere', async () => {
    const { status, body } = await open().api.client.get('/health');
    expect({ status, body }).toEqual({
      status: 200,
      body: { status: 'ok', uptime_seconds: expect.any(Number) },
    });
  });
});

describe('readiness where something is missing', () => {
  let api: TestApi | undefined;
  let model: MockLlm | undefined;
  afterEach(async () => {
    await api?.close();
    await model?.close();
  });

  it('is degraded, and ready, without Redis and with a model that nobody serves', async () => {
    api = await startTestApi({
      REDIS_URL: 'redis://127.0.0.1:1',
      CHAT_BASE_URL: 'http://127.0.0.1:1/v1',
      CHAT_MODEL: 'nobody',
    });
    const { status, body } = await api.client.get<ReadinessView>('/ready');
    expect(status).toBe(200);
    expect(body.checks.redis).toMatchObject({ status: 'degraded' });
    expect(body.checks.models).toMatchObject({ status: 'degraded' });
    expect(body.checks.models!.message).toContain('nobody: not reachable (ECONNREFUSED)');
  });

  it('sees a breaker that is open, and never pays for a probe', async () => {
    model = await MockLlm.start();
    api = await startTestApi({ CHAT_BASE_URL: model.url, CHAT_MODEL: 'flaky' });
    await api.client.indexText('The pump P-100 needs an oil change every 500 hours.');
    await api.client.get('/ready');
    await api.client.get('/ready');
    expect(model.bill.calls).toBe(0);
    model.script.push({ fault: { status: 500 }, times: 0 });
    const seen = await waitFor('the breaker to open', async () => {
      await api!.client.ask('How often does the pump need an oil change?');
      const { status, body } = await api!.client.get<ReadinessView>('/ready');
      return body.checks.models!.message.includes('breaker open') && { status, check: body.checks.models };
    });
    expect(seen).toMatchObject({ status: 200, check: { status: 'degraded' } });
  });
});

const MIGRATION_LOCK = 7_246_783; // of libs/database

/** One request, whoever signed the certificate. */
async function probeOf(url: string): Promise<{ status: number; body: { status: string } }> {
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const { statusCode, body } = await request(url, { dispatcher: agent });
    return { status: statusCode, body: (await body.json()) as { status: string } };
  } finally {
    await agent.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('the service as processes', () => {
  let folder: string;
  const started: ServerProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragstone-health-'));
  });
  afterEach(async () => {
    for (const { child } of started.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('is not ready as soon as it is told to stop, answers on, and then ends', async () => {
    const server = ServerProcess.spawn({ DATA_DIR: join(folder, 'data'), HTTP_DRAIN_MS: '4000' });
    started.push(server);
    const client = await server.ready();
    expect((await client.get('/ready')).status).toBe(200);
    server.child.kill('SIGTERM');
    const draining = await waitFor('readiness to end', async () => {
      const reply = await client.get<ReadinessView>('/ready');
      return reply.status === 503 && reply;
    });
    expect(draining.body.status).toBe('shutting_down');
    expect((await client.ask('Is anybody there?')).status).toBe(200);
    expect((await client.get('/health')).status).toBe(200);
    await server.ended();
    expect(server.exitCode).toBe(0);
  });

  it.for([
    ['by HTTP', false],
    ['by TLS, where it has a certificate', true],
  ] as const)('lives and is not ready while it migrates, %s', async ([, hasTls], context) => {
    if (serverMissing) return context.skip(serverMissing);
    const certificate = hasTls && makeCertificate(folder);
    if (hasTls && !certificate) return context.skip('needs openssl to make a certificate');
    const database = await createTestDatabase(newDatabaseName());
    const owner = new Client({ connectionString: database.directUrl });
    await owner.connect();
    try {
      await owner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]); // as another process that migrates
      const port = await freePort();
      const server = ServerProcess.spawn({
        DATABASE_URL: database.url,
        DATABASE_DIRECT_URL: database.directUrl,
        PORT: String(port),
        ...(certificate && { HTTP_TLS_CERT: certificate.certFile, HTTP_TLS_KEY: certificate.keyFile }),
      });
      started.push(server);
      const probe = (path: string) => probeOf(`${hasTls ? 'https' : 'http'}://127.0.0.1:${port}${path}`);
      const health = await waitFor('somebody to answer', () => probe('/health').catch(() => null));
      expect(health.status).toBe(200);
      expect(await probe('/ready')).toMatchObject({ status: 503, body: { status: 'starting' } });
      await owner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await server.ready();
      expect(await probe('/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
    } finally {
      await owner.end();
      for (const { child } of started.splice(0)) child.kill('SIGKILL');
      await database.drop();
    }
  });

  it('has a worker with metrics and health of its own', async (context) => {
    if (serverMissing) return context.skip(serverMissing);
    const database = await createTestDatabase(newDatabaseName());
    try {
      const worker = ServerProcess.run(['dist/apps/worker/src/main.js'], {
        DATABASE_URL: database.url,
        DATABASE_DIRECT_URL: database.directUrl,
        WORKER_HTTP_PORT: '0',
      });
      started.push(worker);
      const url = await waitFor('the worker to be up', () => {
        if (worker.exitCode !== null) throw new Error(worker.output);
        return /metrics on (http:\S+)\/metrics/.exec(worker.output)?.[1];
      });
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toMatch(/^ragstone_build_info\{.*role="worker".*\} 1$/m);
      expect(metrics).toContain('ragstone_queue_jobs{queue="index-document",state="waiting"} 0');
      const ready = await waitFor('the worker to be ready', async () => {
        const reply = await fetch(`${url}/ready`);
        return reply.status === 200 && ((await reply.json()) as ReadinessView);
      });
      expect(ready.checks.database).toMatchObject({ status: 'ok' });
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect((await fetch(`${url}/`)).status).toBe(404);
      expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
      await worker.stop();
      expect(worker.exitCode).toBe(0);
    } finally {
      await database.drop();
    }
  });
});

describe('without its database', () => {
  let store: OwnStack | undefined;
  let server: ServerProcess | undefined;
  beforeAll(async () => {
    if (serverMissing) return;
    store = await OwnStack.start(25_500);
    server = ServerProcess.spawn({ ...store.urls, DATABASE_CONNECT_TIMEOUT_MS: '1000' });
    await server.ready();
  });
  afterAll(async () => {
    server?.child.kill('SIGKILL');
    await store?.remove();
  });

  it('is alive, not ready, and says why; its metrics still come; then it is ready again', async (context) => {
    if (serverMissing) return context.skip(serverMissing);
    const client = await server!.ready();
    expect((await client.get('/ready')).status).toBe(200);
    await store!.run('down', 'pg');
    const { body } = await waitFor('readiness to end', async () => {
      const reply = await client.get<ReadinessView>('/ready');
      return reply.status === 503 && reply;
    });
    expect(body).toMatchObject({ status: 'not_ready', checks: { database: { status: 'failed' } } });
    expect(body.checks.database!.message.length).toBeGreaterThan(10);
    expect((await client.get('/health')).status).toBe(200);
    const metrics = await (await fetch(`${client.url}/metrics`)).text();
    expect(metrics).toMatch(/^ragstone_metrics_collect_failed_total [1-9]/m);
    expect(metrics).toMatch(/^ragstone_db_errors_total\{code="database_unavailable"\} [1-9]/m);
    await store!.run('up', 'pg');
    await waitFor('readiness', async () => (await client.get('/ready')).status === 200);
  });
});

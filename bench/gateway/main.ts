import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '#libs/project-files';
import { measureBatching } from './batching.js';
import { Child } from './child.js';
import { load, type Load, quantile } from './load.js';
import { measureOverload } from './overload.js';
import { writeResults, type Row } from './results.js';

/** `npm run bench:gateway`: the router beside a bare proxy and another gateway, all in front of the same mock. */
const PORT = 24_500;
const CONCURRENCY = 32;
const REQUESTS = 3_000;
const ROUNDS = 3;
const WARM_UP = 500;
const OVERLOAD_CALLS = 16;
const TOKENS_APART_MS = 2;
const portkey = join(
  projectFolder,
  'bench',
  'peers',
  'node_modules',
  '@portkey-ai',
  'gateway',
  'build',
  'start-server.js',
);
const dist = join(projectFolder, 'dist');

const folder = await mkdtemp(join(tmpdir(), 'ragstone-gateway-'));
const children: Child[] = [];
try {
  const mocks = [await mock(PORT), await mock(PORT + 1)];
  const env = { MODELS_FILE: await modelsFile(mocks.map(({ url }) => url)), DATA_DIR: join(folder, 'data') };
  const routed = join(dist, 'bench/gateway/servers/routed.js');
  const servers = [
    await keep(
      Child.start(
        'bare Fastify + undici',
        [join(dist, 'bench/gateway/servers/bare-proxy.js'), String(PORT + 2), mocks[0]!.url],
        { port: PORT + 2 },
      ),
    ),
    await keep(Child.start('router', [routed, String(PORT + 3)], { port: PORT + 3, env })),
    await keep(
      Child.start(
        `router, ledger in ${process.env.DATABASE_URL ? 'PostgreSQL' : 'PGlite'}`,
        [routed, String(PORT + 4), 'ledger'],
        {
          port: PORT + 4,
          env,
        },
      ),
    ),
  ];
  const headers: Record<string, Record<string, string>> = {};
  if (existsSync(portkey)) {
    servers.push(
      await keep(
        Child.start('@portkey-ai/gateway', [portkey, '--headless', `--port=${PORT + 5}`], { port: PORT + 5 }),
      ),
    );
    headers['@portkey-ai/gateway'] = {
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': mocks[0]!.url,
    };
  }
  const direct = { name: 'the mock itself', url: mocks[0]!.url, cpuMs: () => mocks[0]!.cpuMs() };
  const rows: Row[] = [];
  for (const mode of ['whole', 'streamed', 'apart'] as const) {
    const isStreamed = mode !== 'whole';
    if (mode === 'apart') await script(mocks[0]!, { betweenTokensMs: TOKENS_APART_MS });
    const measured = new Map<string, (Load & { cpuUs: number })[]>();
    for (const server of [direct, ...servers])
      await load(server.url, {
        concurrency: CONCURRENCY,
        requests: WARM_UP,
        isStreamed,
        headers: headers[server.name] ?? {},
      });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const server of [direct, ...servers]) {
        const before = await server.cpuMs();
        const result = await load(server.url, {
          concurrency: CONCURRENCY,
          requests: REQUESTS,
          isStreamed,
          headers: headers[server.name] ?? {},
        });
        const cpuUs = (((await server.cpuMs()) - before) * 1_000) / REQUESTS;
        // One client: what the way through the server adds to the first token.
        const alone = await load(server.url, {
          concurrency: 1,
          requests: 200,
          isStreamed,
          headers: headers[server.name] ?? {},
        });
        const one = { ...result, cpuUs, firstTokenP50Ms: alone.firstTokenP50Ms };
        measured.set(server.name, [...(measured.get(server.name) ?? []), one]);
        console.error(mode, server.name, one);
      }
    }
    for (const [name, results] of measured) rows.push({ name, mode, ...medians(results) });
  }
  await script(mocks[0]!, null);
  const overload = await overloadRouter(mocks[1]!);
  const outage = await measureOutage(servers[1]!, mocks[0]!);
  await writeResults({ rows, overload, outage, batching: await measureBatching() });
} finally {
  for (const child of children) child.stop();
  await rm(folder, { recursive: true, force: true });
}

async function keep(starting: Promise<Child>): Promise<Child> {
  const child = await starting;
  children.push(child);
  return child;
}

function mock(port: number): Promise<Child> {
  return keep(Child.start('mock', [join(dist, 'test/mock-llm/main.js'), String(port)], { port }));
}

function medians(results: (Load & { cpuUs: number })[]) {
  const middle = (of: (result: Load & { cpuUs: number }) => number) => quantile(results.map(of), 0.5);
  return {
    requestsPerSecond: middle((result) => result.requestsPerSecond),
    p50Ms: middle((result) => result.p50Ms),
    p99Ms: middle((result) => result.p99Ms),
    cpuUs: middle((result) => result.cpuUs),
    firstTokenP50Ms:
      results[0]!.firstTokenP50Ms === null ? null : middle((result) => result.firstTokenP50Ms!),
    failures: results.reduce((sum, { failures }) => sum + failures, 0),
  };
}

/** The primary is killed in the middle of a run. */
async function measureOutage(router: Child, primary: Child) {
  let isKilled = false;
  const result = await load(router.url, {
    concurrency: CONCURRENCY,
    requests: REQUESTS,
    onProgress: (done) => {
      if (isKilled || done < REQUESTS / 3) return;
      isKilled = true;
      primary.stop();
    },
  });
  return { failures: result.failures, requests: result.requests, p50Ms: result.p50Ms, p99Ms: result.p99Ms };
}

/** A model that takes 50 ms and 16 calls at a time: it is the model that is too small here, not the processor. */
async function overloadRouter(slow: Child) {
  await script(slow, { delayMs: 50 });
  const env = {
    MODELS_FILE: await modelsFile([slow.url, slow.url], { concurrency: OVERLOAD_CALLS, queue: 16 }, [
      'primary',
    ]),
  };
  const routed = join(dist, 'bench/gateway/servers/routed.js');
  const router = await keep(Child.start('router', [routed, String(PORT + 6)], { port: PORT + 6, env }));
  await load(router.url, { concurrency: OVERLOAD_CALLS, requests: WARM_UP });
  const result = await measureOverload(router.url, OVERLOAD_CALLS, 10_000);
  await script(slow, null);
  return result;
}

/** From now on every reply has the fault; none with null. */
async function script(model: Child, fault: object | null): Promise<void> {
  const { origin } = new URL(model.url);
  await (fault
    ? fetch(`${origin}/mock/script`, { method: 'POST', body: JSON.stringify([{ fault, times: 0 }]) })
    : fetch(`${origin}/mock/reset`, { method: 'POST' }));
}

async function modelsFile(
  urls: string[],
  { concurrency, queue } = { concurrency: 256, queue: 256 },
  chain = ['primary', 'backup'],
): Promise<string> {
  const path = join(folder, `models-${concurrency}.yaml`);
  const limits = `limits: { concurrency: ${concurrency}, queue: ${queue} }, prices: [{ input: 1, output: 1 }]`;
  await writeFile(
    path,
    `models:
  primary: { provider: openai, model: mock, base_url: "${urls[0]}", ${limits} }
  backup: { provider: openai, model: mock, base_url: "${urls[1]}", ${limits} }
chains: { default: [${chain.join(', ')}] }
`,
  );
  return path;
}

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectFolder } from '#libs/project-files';
import { MockLlm } from '../mock-llm/index.js';
import { OwnPrometheus } from '../support/own-prometheus.js';
import { startServerApi } from '../support/server-api.js';
import { pgbouncerConsoleUrl, serverMissing, stackEnvironment } from '../support/stack.js';
import type { TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

const PORT_BASE = 25_400;
const question = 'How often does the pump P-100 need an oil change?';

interface Expression {
  where: string;
  expr: string;
}

/** Every expression of every panel, as Grafana would send it. */
async function dashboardExpressions(): Promise<Expression[]> {
  const folder = join(projectFolder, 'docker/grafana/dashboards');
  const found: Expression[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.json'))) {
    collect(file, JSON.parse(await readFile(join(folder, file), 'utf8')), found);
  }
  return found;
}

function collect(where: string, value: unknown, found: Expression[]): void {
  if (Array.isArray(value)) for (const item of value) collect(where, item, found);
  else if (typeof value === 'object' && value !== null) {
    const { title, expr, ...rest } = value as Record<string, unknown>;
    const place = typeof title === 'string' ? `${where}: ${title}` : where;
    if (typeof expr === 'string')
      found.push({
        where: place,
        expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
      });
    for (const inner of Object.values(rest)) collect(place, inner, found);
  }
}

async function ruleExpressions(): Promise<Expression[]> {
  const text = await readFile(join(projectFolder, 'docker/prometheus/rules.yml'), 'utf8');
  const { groups } = parse(text) as {
    groups: { rules: { alert?: string; record?: string; expr: string }[] }[];
  };
  return groups.flatMap(({ rules }) =>
    rules.map(({ alert, record, expr }) => ({ where: (alert ?? record)!, expr })),
  );
}

describe('dashboards and alerts over a service at work', () => {
  let folder: string;
  let primary: MockLlm | undefined;
  let backup: MockLlm | undefined;
  let embedder: MockLlm | undefined;
  let api: TestApi | undefined;
  let prometheus: OwnPrometheus | undefined;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    folder = await mkdtemp(join(tmpdir(), 'ragstone-dashboards-'));
    [primary, backup, embedder] = await Promise.all([MockLlm.start(), MockLlm.start(), MockLlm.start()]);
    const models = join(folder, 'models.yaml');
    await writeFile(
      models,
      `
models:
  primary:
    { provider: openai, model: big, base_url: "${primary.url}", prices: [{ input: 2, output: 8 }], attempts_max: 1, breaker: { open_seconds: 1 } }
  small: { provider: openai, model: small, base_url: "${backup.url}", prices: [{ input: 0.1, output: 0.4 }], attempts_max: 1 }
  letters: { provider: openai, kind: embedding, model: letters, dimensions: 8, base_url: "${embedder.url}", prices: [{ input: 0.1 }] }
embedding: letters
chains: { default: [primary, small, extractive] }
routes: { answer: default }
budgets: [{ per: tenant, period: month, usd: 100 }]
`,
    );
    api = await startServerApi({
      MODELS_FILE: models,
      ANSWER_CACHE: 'memory',
      PGBOUNCER_ADMIN_URL: pgbouncerConsoleUrl(stackEnvironment!),
    });
    prometheus = await OwnPrometheus.start(PORT_BASE, { 'ragstone-api': [api.url] });
    await api.client.indexText('The pump P-100 needs an oil change every 500 hours.', { title: 'Pumps' });
    await prometheus.scraped(1);
  });

  afterAll(async () => {
    await prometheus?.remove();
    await api?.close();
    await Promise.all([primary?.close(), backup?.close(), embedder?.close()]);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** A bit of everything that an operator may want to see: good answers and all kinds of trouble. */
  async function load(round: number): Promise<void> {
    const { client } = api!;
    primary!.reset();
    backup!.reset();
    const { body: answer } = await client.ask(question);
    await client.post(`/query/${answer.request_id}/feedback`, { thumb: round % 2 === 0 ? 'up' : 'down' });
    await client.ask(question); // out of the cache
    await client.ask(question, { cache: false, mode: 'lexical' });
    await client.ask(`Who won the football world cup of ${round}?`, { model: 'extractive' });
    await client.ask(question, { collection: 'not-there' });
    primary!.responder = () => 'It says so. [1]\n\nQUOTES\n[1] "words that stand nowhere"';
    await client.ask(question, { cache: false });
    primary!.script.push({ fault: { status: 500 }, times: 0 });
    await client.ask(question, { cache: false });
    backup!.script.push({ fault: { status: 500 }, times: 0 });
    for (let failures = 0; failures < 6; failures += 1) await client.ask(question, { cache: false });
    await Promise.all(
      [1, 2, 3, 4].map((part) => client.post('/search', { question: `Oil ${round} ${part}?` })),
    );
    await client.indexText(`Round ${round}: the pump is painted blue.`);
    const { body: encrypted } = await client.upload(
      `round-${round}.pdf`,
      Buffer.from(`%PDF-1.7 broken ${round}`),
    );
    await client.jobEnd(encrypted);
    await client.get('/health');
  }

  it('has data in every panel, and no expression that Prometheus refuses', async () => {
    const expressions = await dashboardExpressions();
    expect(expressions.length).toBeGreaterThan(50);
    let round = 0;
    let empty: Expression[] = [];
    await waitFor(
      'data in every panel',
      async () => {
        await load((round += 1));
        empty = [];
        for (const expression of expressions) {
          const samples = await prometheus!.query(expression.expr);
          if (!samples.some(({ value }) => Number.isFinite(value))) empty.push(expression);
        }
        return empty.length === 0;
      },
      90_000,
    ).catch(() => undefined);
    expect(empty).toEqual([]);
  });

  it('knows every metric that an alert asks for', async () => {
    const names = new Set(
      (await ruleExpressions()).flatMap(
        ({ expr }) => expr.match(/\b(?:ragstone|langchain|nodejs)_\w+/g) ?? [],
      ),
    );
    expect(names.size).toBeGreaterThan(15);
    for (const name of names) expect(await prometheus!.query(`count(${name})`), name).toHaveLength(1);
    for (const { where, expr } of await ruleExpressions())
      await expect(prometheus!.query(expr), where).resolves.toBeDefined();
  });

  it('counts what the service did: a request is in its metrics with its route', async () => {
    const [counted] = await waitFor('the scrape', async () => {
      const samples = await prometheus!.query(
        'ragstone_http_requests_total{route="/query",method="POST",status="404"}',
      );
      return samples.length > 0 && samples;
    });
    expect(counted!.value).toBeGreaterThan(0);
  });
});

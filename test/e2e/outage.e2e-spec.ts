import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AcceptedView, RagstoneClient } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { OwnStack, serverMissing } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const PORT_BASE = 25_300;
const OUTAGE_MS = 1_500;
const RECOVERY_MS_MAX = 5_000;
const READERS = 4;

interface Seen {
  atMs: number;
  status: number;
  retryAfter: string | null;
  code: unknown;
}

/** Readers and a writer without a pause, until `stop`; what each request got, and which documents were accepted. */
class Load {
  readonly seen: Seen[] = [];
  readonly accepted: AcceptedView[] = [];
  private stopped = false;
  private readonly running: Promise<void>[];

  constructor(
    private readonly client: RagstoneClient,
    private readonly label: string,
  ) {
    this.running = [...Array.from({ length: READERS }, () => this.read()), this.write()];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async read(): Promise<void> {
    while (!this.stopped) {
      await this.request('/search', { question: 'harbour light', mode: 'lexical' });
      await sleep(10);
    }
  }

  private async write(): Promise<void> {
    for (let n = 0; !this.stopped; n += 1) {
      const name = `${this.label}-${n}`;
      const accepted = await this.request('/index', {
        text: `The harbour light ${name}.`,
        external_id: name,
      });
      if (accepted) this.accepted.push(accepted);
      await sleep(30);
    }
  }

  private async request(path: string, body: object): Promise<AcceptedView | null> {
    const reply = await this.client.post<AcceptedView & { code?: string }>(path, body);
    this.seen.push({
      atMs: performance.now(),
      status: reply.status,
      retryAfter: reply.headers.get('retry-after'),
      code: reply.body.code,
    });
    return reply.status === 202 ? reply.body : null;
  }
}

describe('an outage under load', () => {
  let store: OwnStack | undefined;
  let processes: ServerProcess[] = [];
  let client: RagstoneClient;

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    store = await OwnStack.start(PORT_BASE);
    const environment = { ...store.urls, DATABASE_CONNECT_TIMEOUT_MS: '2000', LOG_LEVEL: 'error' };
    const api = ServerProcess.spawn(environment);
    client = await api.ready();
    processes = [api, ServerProcess.run(['dist/apps/worker/src/main.js'], environment)];
    await client.indexText('The harbour light is green.');
  });

  afterAll(async () => {
    for (const process of processes) await process.stop();
    await store?.remove();
  });

  it.each([
    ['PostgreSQL is restarted', ['pg'], 'down'],
    ['PostgreSQL is killed', ['pg'], 'kill'],
    ['pgBouncer is restarted', ['pgbouncer'], 'down'],
    ['both are killed', ['pg', 'pgbouncer'], 'kill'],
  ])(
    '%s: 503 with Retry-After meanwhile, all well within 5 s, no accepted document lost',
    async (name, services, how) => {
      const load = new Load(client, name.replaceAll(' ', '-'));
      await waitFor('the first accepted document', () => load.accepted.length > 2);
      await store!.run(how, ...services);
      await sleep(OUTAGE_MS);
      await store!.run('up', ...services);
      const upMs = performance.now();
      await waitFor('requests to succeed again', () =>
        load.seen.some(({ atMs, status }) => atMs > upMs && status === 200),
      );
      await sleep(RECOVERY_MS_MAX);
      await load.stop();

      const failed = load.seen.filter(({ status }) => status >= 400);
      expect(failed.length).toBeGreaterThan(0);
      for (const { status, retryAfter, code } of failed) {
        expect({ status, code }).toEqual({ status: 503, code: 'database_unavailable' });
        expect(Number(retryAfter)).toBeGreaterThan(0);
      }
      const lastFailureMs = Math.max(...failed.map(({ atMs }) => atMs));
      expect(lastFailureMs - upMs).toBeLessThan(RECOVERY_MS_MAX);
      for (const accepted of load.accepted) {
        expect((await client.jobEnd(accepted, 120_000)).status).toBe('ready');
      }
      const indexed = await client.get<{ documents: { external_id: string }[] }>('/documents?limit=200');
      const ids = indexed.body.documents.map(({ external_id }) => external_id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { document_id } of load.accepted) {
        const chunks = await client.get<{ chunks: unknown[] }>(`/documents/${document_id}/chunks`);
        expect(chunks.body.chunks).toHaveLength(1);
      }
      expect(processes.map(({ exitCode }) => exitCode)).toEqual([null, null]);
    },
    240_000,
  );
});

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { CpuMeter, cpuOf } from '../store/cpu-meter.js';
import type { Urls } from '../store/bench-database.js';
import { Child, childrenOf, type EmbeddingServer } from './child.js';
import { type DocumentKind, TOKENS } from './documents.js';
import { type ProcessMemory, watchMemory } from './process-memory.js';
import type { LoopDelay, Submitted } from './messages.js';

const POLL_MS = 100;
const WAIT_MS_MAX = 300_000;
const WARM_UP: Record<DocumentKind, number> = { small: 20, large: 2 };

/** Processor time by who used it, seconds. */
export interface CpuShares {
  accepting: number;
  worker: number;
  /** The worker's threads that embed; its garbage collector and compiler, too. */
  workerThreads: number;
  parsers: number;
  embedder: number;
  postgres: number;
  pooler: number;
}

export interface Ingested {
  kind: DocumentKind;
  documents: number;
  tokens: number;
  /** From the first submit until the last document is ready. */
  seconds: number;
  /** Until the last was accepted. */
  acceptSeconds: number;
  cpu: CpuShares;
  memory: ProcessMemory;
  delay: LoopDelay;
  /** Of the database, also those of single statements; NaN on PGlite. */
  transactions: number;
}

export interface PipelineOptions {
  /** Null: PGlite in `dataFolder`. */
  server: { urls: Urls; owner: Client } | null;
  dataFolder: string;
  /** Null: the local model. */
  embedder: EmbeddingServer | null;
  model?: { name: string; dimensions: number };
}

/** One process that accepts and one that indexes, as an installation has them; on PGlite a single one does both. */
export class Pipeline {
  private next = 0;

  private constructor(
    private readonly options: PipelineOptions,
    private readonly accepting: Child,
    private readonly worker: Child,
    private readonly meter: CpuMeter | null,
  ) {}

  static async start(options: PipelineOptions): Promise<Pipeline> {
    const { server, embedder, model } = options;
    const environment = {
      DATABASE_URL: server?.urls.pooled ?? '',
      DATABASE_DIRECT_URL: server?.urls.owner ?? '',
      DATA_DIR: options.dataFolder,
      EMBEDDINGS_BASE_URL: embedder?.url ?? '',
      EMBEDDINGS_MODEL: embedder ? model!.name : '',
      EMBEDDINGS_DIMENSIONS: embedder ? String(model!.dimensions) : '',
      LOG_FORMAT: 'json',
    };
    const worker = await Child.start('work', environment);
    const accepting = server ? await Child.start('accept', environment) : worker;
    const meter = server && new CpuMeter(server.owner, server.urls.pooled);
    return new Pipeline(options, accepting, worker, meter);
  }

  /** Starts parsers and connections, prepares statements, makes the index of the documents' language. */
  async warmUp(): Promise<void> {
    await this.ingest('small', WARM_UP.small);
    await this.ingest('large', WARM_UP.large);
  }

  async ingest(kind: DocumentKind, documents: number): Promise<Ingested> {
    const before = await this.usage();
    const memory = watchMemory(this.worker.pid);
    await this.worker.ask({ kind: 'begin' });
    const start = performance.now();
    const submitting = this.accepting.ask<Submitted>({
      kind: 'submit',
      documents: kind,
      first: this.next,
      count: documents,
    });
    this.next += documents;
    await this.worker.ask({ kind: 'wake' });
    const { tokens } = await submitting;
    const acceptSeconds = (performance.now() - start) / 1_000;
    await this.worker.ask({ kind: 'wake' });
    await this.allReady();
    const seconds = (performance.now() - start) / 1_000;
    const delay = await this.worker.ask<LoopDelay>({ kind: 'end' });
    const after = await this.usage();
    const share = (name: keyof CpuShares) => (after.cpu[name] - before.cpu[name]) / 1_000;
    return {
      kind,
      documents,
      tokens,
      seconds,
      acceptSeconds,
      cpu: {
        accepting: share('accepting'),
        worker: share('worker'),
        workerThreads: share('workerThreads'),
        parsers: share('parsers'),
        embedder: share('embedder'),
        postgres: share('postgres'),
        pooler: share('pooler'),
      },
      memory: await memory.stop(),
      delay,
      transactions: after.transactions - before.transactions,
    };
  }

  /** Indexes documents one after the other until the signal, for searches meanwhile. @returns their tokens */
  async keepIngesting(kind: DocumentKind, batch: number, signal: AbortSignal): Promise<number> {
    let tokens = 0;
    while (!signal.aborted) tokens += (await this.ingest(kind, batch)).tokens;
    return tokens;
  }

  async stop(): Promise<void> {
    if (this.accepting !== this.worker) await this.accepting.stop();
    await this.worker.stop();
  }

  private async allReady(): Promise<void> {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (performance.now() < deadline) {
      const { open, failed } = await this.worker.ask<{ open: number; failed: number }>({ kind: 'open' });
      if (failed > 0) throw new Error(`${failed} documents failed`);
      if (open === 0) return;
      await sleep(POLL_MS);
    }
    throw new Error('the documents were not ready in time');
  }

  private async usage(): Promise<{ cpu: CpuShares; transactions: number }> {
    const { server, embedder } = this.options;
    const { worker, accepting } = this;
    const parsers = await Promise.all((await childrenOf(worker.pid)).map((pid) => cpuOf(pid)));
    const main = await cpuOf(worker.pid, worker.pid);
    const database = await this.meter?.read();
    const transactions = await server?.owner.query<{ count: string }>(
      'select xact_commit as count from pg_stat_database where datname = current_database()',
    );
    return {
      cpu: {
        accepting: accepting === worker ? 0 : await cpuOf(accepting.pid),
        worker: main,
        workerThreads: (await cpuOf(worker.pid)) - main,
        parsers: parsers.reduce((sum, used) => sum + used, 0),
        embedder: embedder ? await cpuOf(embedder.pid) : 0,
        postgres: database?.postgres ?? 0,
        pooler: database?.pooler ?? 0,
      },
      transactions: Number(transactions?.rows[0]?.count),
    };
  }
}

/** How many documents are about so many tokens. */
export function documentsOf(kind: DocumentKind, tokens: number): number {
  return Math.max(1, Math.round(tokens / TOKENS[kind]));
}

import type { ServerResponse } from 'node:http';
import type { PageServer } from '../support/page-server.js';
import type { AcceptedView, JobView } from '../support/ragstone-client.js';
import { waitFor } from '../support/wait-for.js';
import { type FaultyDocument, textOf } from './faulty-documents.js';
import { type FaultyService, Gate } from './faulty-service.js';
import { lockRows, untilBlocked } from './held-jobs.js';

/** In the second part of 128 chunks. */
const HELD_PARAGRAPH = 150;

export const documentOf = (border: string, paragraphs = 3): FaultyDocument => ({
  externalId: border,
  word: `${border}word`,
  paragraphs,
});

/** The jobs of one worker, each held at one border between two stages. */
export class Borders {
  readonly jobs = new Map<string, AcceptedView>();
  readonly fetching = new Gate();
  readonly embedding = new Gate();
  readonly staging = new Gate();
  readonly finishing = new Gate();
  private readonly locks: { release(): Promise<void> }[] = [];
  private stopped: number[] = [];

  constructor(
    readonly service: FaultyService,
    readonly pages: PageServer,
  ) {
    service.models.beforeEmbedding = (texts) => {
      const text = texts.join('\n');
      if (text.includes('embedword has mark1x')) return this.embedding.pass();
      if (text.includes(`stageword has mark0x${HELD_PARAGRAPH}:`)) return this.staging.pass();
      return text.includes('doneword') ? this.finishing.pass() : null;
    };
    pages.pages['/page'] = (_request, response) => void this.answerPage(response);
  }

  private async answerPage(response: ServerResponse): Promise<void> {
    await this.fetching.pass();
    response.writeHead(200, { 'content-type': 'text/markdown' }).end(textOf(documentOf('fetch'), 0));
  }

  /** Until every job stands where it should. */
  async hold(worker: { children: number[] }): Promise<void> {
    const { service, jobs } = this;
    const { client, database } = service;
    const first = await service.submit('faulty', documentOf('embed'), 0);
    await client.jobEnd(first);

    const url = await client.post<AcceptedView>('/index', {
      url: this.pages.url('/page'),
      collection: 'faulty',
      external_id: 'fetch',
      metadata: { document: 'fetch' },
    });
    jobs.set('fetch', url.body);
    jobs.set('embed', await service.submit('faulty', documentOf('embed'), 1));
    jobs.set('stage', await service.submit('faulty', documentOf('stage', 200), 0));
    jobs.set('done', await service.submit('faulty', documentOf('done'), 0));
    for (const gate of [this.fetching, this.embedding, this.staging, this.finishing]) {
      await waitFor('a job at its border', () => gate.isReached);
    }
    const lockedCollection = { text: 'select id from collections where name = $1::text for no key update' };
    this.locks.push(await lockRows(database, { ...lockedCollection, values: ['committing'] }));
    jobs.set('store', await service.submit('committing', documentOf('store'), 0));
    await untilBlocked(database, 'update collections set epoch');

    const done = jobs.get('done')!.job_id;
    const lockedJob = { text: 'select id from pgboss.job where id = $1::uuid for update', values: [done] };
    this.locks.push(await lockRows(database, lockedJob));
    this.finishing.release();
    await client.jobEnd({ job_id: done }); // while the queue still has it

    this.stopped = worker.children;
    for (const pid of this.stopped) process.kill(pid, 'SIGSTOP');
    jobs.set('parse', await service.submit('faulty', documentOf('parse'), 0));
    await waitFor('parsing', async () => {
      const { body } = await client.get<JobView>(`/jobs/${jobs.get('parse')!.job_id}`);
      return body.stage === 'parse';
    });
  }

  /** What a dead worker has sent is still done, once its lock is free, unless the server forgets it. */
  async forgetCompletion(): Promise<void> {
    await this.service.database.withoutTenant.query({
      text: `
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and position('pgboss.job' in query) > 0`,
    });
  }

  async release(): Promise<void> {
    for (const gate of [this.fetching, this.embedding, this.staging]) gate.release();
    for (const pid of this.stopped) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone with its worker
      }
    }
    for (const lock of this.locks) await lock.release();
  }
}

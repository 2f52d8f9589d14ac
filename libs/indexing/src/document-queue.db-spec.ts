import { afterEach, expect, it } from 'vitest';
import { IndexJobRepository, JobLeaseRepository } from '#libs/corpus';
import { PgBossJobQueue } from '#libs/jobs';
import { fixture, submit } from '../../../test/support/corpus-fixture.js';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { DocumentQueue } from './document-queue.js';

describeOnEachEngine('DocumentQueue', (open) => {
  let boss: PgBossJobQueue | undefined;
  afterEach(() => boss?.stop());

  it('puts a document behind those of its collection that are in work, so that an interrupted one is not overtaken', async () => {
    boss = new PgBossJobQueue(open());
    await boss.start();
    const jobs = new IndexJobRepository(open());
    const queue = new DocumentQueue(jobs, boss, 100);
    const setup = await fixture(open());
    const add = async (name: string) => {
      const submitted = await submit(setup, name, name);
      return open().transaction((tx) => queue.add(tx, { collectionId: setup.collection.id, ...submitted }));
    };
    const turnOf = async (jobId: string) => {
      const [row] = await open().query<{ turn: string }>({
        text: 'select turn from index_jobs where id = $1::uuid',
        values: [jobId],
      });
      return Number(row!.turn);
    };

    const running = [await add('a'), await add('b'), await add('c')];
    for (const jobId of running) {
      await new JobLeaseRepository(open()).start(jobId, 1);
    }
    await open().withoutTenant.query({ text: 'delete from pgboss.job' }); // nothing waits
    expect(await turnOf(await add('d'))).toBeGreaterThan(await turnOf(running[2]!));
  });
});

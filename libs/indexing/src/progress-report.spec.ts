import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobLeaseRepository } from '#libs/corpus';
import { ProgressReport } from './progress-report.js';

function setUp() {
  const written: string[] = [];
  const leases = {
    progress: (_lease: unknown, { stage, done }: { stage: string; done: number }) => {
      written.push(`${stage} ${done}`);
      return Promise.resolve(true);
    },
  };
  const report = new ProgressReport({ jobId: 'job', fence: '1' }, leases as unknown as JobLeaseRepository);
  return { report, written };
}

describe('ProgressReport', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('writes each stage, however soon it follows', async () => {
    const { report, written } = setUp();
    report.enter('parse');
    await vi.advanceTimersByTimeAsync(300);
    report.enter('embed', 4);
    report.update(2, 4);
    report.enter('store', 4);
    await report.settled();
    expect(written).toEqual(['parse 0', 'embed 0', 'store 0']);
  });

  it('writes four times a second within a stage', async () => {
    const { report, written } = setUp();
    report.enter('embed', 100);
    for (let done = 1; done <= 100; done += 1) {
      report.update(done, 100);
      await vi.advanceTimersByTimeAsync(10);
    }
    await report.settled();
    expect(written.length).toBeGreaterThan(2);
    expect(written.length).toBeLessThan(6);
  });

  it('writes nothing of a job that is over in a moment', async () => {
    const { report, written } = setUp();
    report.enter('parse');
    report.enter('embed', 1);
    report.enter('store', 1);
    await report.end();
    expect(written).toEqual([]);
  });
});

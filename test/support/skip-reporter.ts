import type { Reporter, TestModule } from 'vitest/node';

/** Says at the end what was not tested and why, and counts in a plain line: nothing is skipped in silence. */
export class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    const total = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') total[state] += 1;
      }
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const note = (result.state === 'skipped' && result.note) || 'no reason given';
        counts.set(note, (counts.get(note) ?? 0) + 1);
      }
    }
    console.log(counts.size === 0 ? '\nSkipped: nothing.' : '\nSkipped:');
    for (const [reason, count] of counts) {
      console.log(`  ${count} ${count === 1 ? 'test' : 'tests'}: ${reason}`);
    }
    console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  }
}

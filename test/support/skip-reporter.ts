import type { Reporter, TestModule } from 'vitest/node';

/** Says at the end what was not tested and why: nothing is skipped in silence. */
export class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
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
  }
}

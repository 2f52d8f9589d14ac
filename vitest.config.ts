import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SkipReporter } from './test/support/skip-reporter.js';

const projectFolder = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  // Source by alias, not by an import condition: worker threads inherit conditions and must run compiled code.
  resolve: {
    alias: [{ find: /^#(libs|apps)\/(.+)$/, replacement: join(projectFolder, '$1/$2/src/index.ts') }],
  },
  test: {
    include: ['{apps,libs,evaluation,scripts,test}/**/*.{spec,db-spec,e2e-spec,faults-spec}.ts'],
    setupFiles: ['test/quiet.ts'],
    globalSetup: ['test/build-once.ts'],
    reporters: ['default', new SkipReporter()],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 3, // many tests wait: for a lease, a retry, a process to start
  },
});

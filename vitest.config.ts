import { defineConfig } from 'vitest/config';

const source = ['ragstone-source', 'module', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source } },
  test: {
    include: ['{apps,libs,evaluation,scripts,test}/**/*.{spec,db-spec,e2e-spec}.ts'],
    globalSetup: ['test/build-once.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});

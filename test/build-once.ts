import { spawnSync } from 'node:child_process';

/** Worker threads and child processes run compiled code: build it once (incremental) before any test. */
export default function buildOnce(): void {
  if (process.env.RAGSTONE_BUILT === '1') return;
  const build = spawnSync('npx', ['nest', 'build'], { stdio: 'inherit' });
  if (build.status !== 0)
    throw new Error('the build failed: fix the type errors above, then run the tests again');
}

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectFolder } from '#libs/project-files';

/** The process behind a URL; null when it is not the one that scripts/stack has started. */
export function servicePid(service: 'pgbouncer' | 'redis', url: string): number | null {
  const { hostname, port } = new URL(url);
  const script = join(projectFolder, 'scripts', 'stack');
  const { stdout } = spawnSync(script, ['status', service], { encoding: 'utf8' });
  const [, address, pid] = /up\s+(\S+)\s+pid (\d+)/.exec(stdout ?? '') ?? [];
  return address === `${hostname}:${port}` ? Number(pid) : null;
}

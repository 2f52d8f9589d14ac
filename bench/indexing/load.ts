import { loadavg } from 'node:os';

/** How many processes want a core, as the kernel has counted them in the last minute. */
export function loadNow(): string {
  return loadavg()[0]!.toFixed(1);
}

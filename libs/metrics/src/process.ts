import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { collectDefaultMetrics, Gauge } from 'prom-client';
import { collectAtScrape, registry } from './registry.js';

const EVENT_LOOP_RESOLUTION_MS = 10;

const diskFree = new Gauge({
  name: 'ragstone_disk_free_bytes',
  help: 'Free space where this process writes: data (the embedded database), temporary (uploads on their way).',
  labelNames: ['volume'] as const,
  registers: [registry],
});

const diskSize = new Gauge({
  name: 'ragstone_disk_size_bytes',
  help: 'Size of the volumes of ragstone_disk_free_bytes.',
  labelNames: ['volume'] as const,
  registers: [registry],
});

const buildInfo = new Gauge({
  name: 'ragstone_build_info',
  help: 'Always 1; its labels say what runs.',
  labelNames: ['version', 'role', 'engine'] as const,
  registers: [registry],
});

let isObserved = false;

/** CPU, memory, garbage collection, event-loop delay and disks of this process. @param dataFolder null: no data here */
export function observeProcess(
  build: { version: string; role: 'api' | 'worker'; engine: string },
  dataFolder: string | null,
): void {
  buildInfo.set(build, 1);
  if (isObserved) return; // one process may run an api and a worker
  isObserved = true;
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_RESOLUTION_MS });
  const volumes = { ...(dataFolder !== null && { data: dataFolder }), temporary: tmpdir() };
  collectAtScrape(async () => {
    for (const [volume, folder] of Object.entries(volumes)) {
      const { bavail, blocks, bsize } = await statfs(folder);
      diskFree.set({ volume }, bavail * bsize);
      diskSize.set({ volume }, blocks * bsize);
    }
  });
}

import { spawnSync } from 'node:child_process';
import { open, mkdtemp, rm, statfs, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own in memory, for what happens when it is full. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** @returns null without the right to mount one, as root has it */
  static async mount(kilobytes: number): Promise<SmallDisk | null> {
    const folder = await mkdtemp(join(tmpdir(), 'ragstone-disk-'));
    const options = ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder];
    if (spawnSync('mount', options).status === 0) return new SmallDisk(folder);
    await rm(folder, { recursive: true, force: true });
    return null;
  }

  /** Until `makeRoom` only so many bytes are free. */
  async fill(leavingBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    const filler = await open(this.filler, 'w');
    const block = Buffer.alloc(1_048_576);
    for (let left = bavail * bsize - leavingBytes; left > 0; left -= block.length) {
      await filler.write(block.subarray(0, Math.min(left, block.length)));
    }
    await filler.close();
  }

  async makeRoom(): Promise<void> {
    await unlink(this.filler);
  }

  async unmount(): Promise<void> {
    spawnSync('umount', ['-l', this.folder]);
    await rm(this.folder, { recursive: true, force: true });
  }

  private get filler(): string {
    return join(this.folder, 'filler');
  }
}

export const diskMissing = 'needs the right to mount a small tmpfs, as root has it';

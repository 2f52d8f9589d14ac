import type { FileState } from './path-state.js';

/**
 * Tells when a file is completely written: when nothing about it has changed for `stableMs`. A file that has not been
 * touched for so long is complete at the first look, so that a start does not wait; a younger one, or one from a clock
 * that is ahead of ours, is watched for so long.
 */
export class WriteFinish {
  private readonly seen = new Map<string, { signature: string; atMs: number }>();

  constructor(private readonly stableMs: number) {}

  /** 0: complete; else look again in so many milliseconds. */
  remainingMs(path: string, { signature, changedAtMs }: FileState): number {
    const ageMs = Date.now() - changedAtMs;
    const nowMs = performance.now();
    const before = this.seen.get(path);
    const seenForMs = before?.signature === signature ? nowMs - before.atMs : 0;
    if (ageMs >= this.stableMs || seenForMs >= this.stableMs) {
      this.seen.delete(path);
      return 0;
    }
    if (before?.signature !== signature) this.seen.set(path, { signature, atMs: nowMs });
    return Math.ceil(this.stableMs - Math.max(seenForMs, ageMs, 0));
  }

  forget(path: string): void {
    this.seen.delete(path);
  }
}

import { LRUCache } from 'lru-cache';
import { Cache } from './cache.js';

const BYTES_PER_CHARACTER = 2;
const BYTES_PER_ENTRY = 200;

/** In this process, at most so many bytes; the least recently used goes first. */
export class MemoryCache extends Cache {
  private readonly entries: LRUCache<string, string>;

  constructor(bytesMax: number) {
    super();
    this.entries = new LRUCache<string, string>({
      maxSize: bytesMax,
      sizeCalculation: (value, key) => (value.length + key.length) * BYTES_PER_CHARACTER + BYTES_PER_ENTRY,
    });
  }

  get(key: string): Promise<string | null> {
    return Promise.resolve(this.entries.get(key) ?? null);
  }

  set(key: string, value: string, seconds: number): Promise<void> {
    this.entries.set(key, value, { ttl: seconds * 1_000 });
    return Promise.resolve();
  }
}

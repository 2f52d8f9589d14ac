import type { Store } from '../store.js';

/** A store to compare with, loaded. Ids are those of the corpus. */
export interface LoadedPeer {
  name: string;
  /** The nearest chunks of a question. */
  nearest(index: number, limit: number): Promise<string[]>;
  /** Full-text search with a question's words; null when it has none. */
  lexical: ((index: number, limit: number) => Promise<string[]>) | null;
  loadSeconds: number;
  /** Of its vector index; 0 where there is none to build. */
  buildSeconds: number;
  /** What it takes, with the unit and of what. */
  size: string;
  close(): Promise<void>;
}

/** @returns the peer, or why it is not measured */
export type LoadPeer = (store: Store) => Promise<LoadedPeer | string>;

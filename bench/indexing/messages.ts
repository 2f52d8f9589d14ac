import type { DocumentKind } from './documents.js';

/** What the bench asks of a process that accepts documents or indexes them. */
export type Request =
  /** Submits documents `first` to `first + count - 1`. */
  | { kind: 'submit'; documents: DocumentKind; first: number; count: number }
  /** Looks for jobs now, as the process does that accepts them when it is the one that indexes. */
  | { kind: 'wake' }
  /** How many documents are not at an end yet. */
  | { kind: 'open' }
  /** Starts a new measurement of the event loop. */
  | { kind: 'begin' }
  | { kind: 'end' };

export interface Submitted {
  tokens: number;
  /** Of making the documents, which is no part of accepting them. */
  makingMs: number;
}

/** How late timers fire, ms. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}

import type { Section } from './report.js';
import type { Store } from './store.js';

/** Measures one loaded and indexed store. */
export type Measure = (store: Store) => Promise<Section>;

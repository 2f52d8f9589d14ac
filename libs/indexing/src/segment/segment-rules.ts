/** Where a long text may be cut so that its parts can be parsed one by one. */
export interface SegmentRule {
  /** Markdown and prose at blank lines, data at the end of a record. */
  border: 'blank-line' | 'line' | 'csv-record';
  /** What the first rows say of the columns holds for all parts. */
  hasColumns: boolean;
}

const prose: SegmentRule = { border: 'blank-line', hasColumns: false };
const lines: SegmentRule = { border: 'line', hasColumns: false };
const csv: SegmentRule = { border: 'csv-record', hasColumns: true };

const rules: Record<string, SegmentRule | undefined> = {
  'text/plain': prose,
  'text/markdown': prose,
  'text/csv': csv,
  'text/tab-separated-values': csv,
  'application/jsonl': lines,
  'application/x-ndjson': lines,
};

/** Null for formats that can only be read whole. */
export function segmentRuleOf(mediaType: string): SegmentRule | null {
  return rules[mediaType] ?? null;
}

/** Where a long text may be cut so that its parts can be parsed one by one. */
export interface SegmentRule {
  /** Markdown and prose at blank lines, data at the end of a record. */
  border: 'blank-line' | 'line' | 'csv-record';
  /** The first record is the header of all: each part begins with it. */
  repeatsHeader: boolean;
}

const prose: SegmentRule = { border: 'blank-line', repeatsHeader: false };
const lines: SegmentRule = { border: 'line', repeatsHeader: false };
const csv: SegmentRule = { border: 'csv-record', repeatsHeader: true };

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

import type { UsageGroup } from '#libs/model-routing';
import type { UsageResponse } from './usage.schema.js';

const sums = [
  'calls',
  'failed_calls',
  'input_tokens',
  'cached_input_tokens',
  'output_tokens',
  'reasoning_tokens',
  'estimated_calls',
  'unpriced_calls',
  'cost_micro_usd',
] as const;

/** RFC 4180. */
export function usageCsv(groups: readonly UsageGroup[], rows: UsageResponse['rows']): string {
  const columns = [...groups, ...sums];
  const lines = rows.map((row) => columns.map((column) => field(row[column])).join(','));
  return [columns.join(','), ...lines, ''].join('\r\n');
}

function field(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  // A spreadsheet would run a key named "=..." as a formula.
  const safe = /^[=+\-@\t]/.test(text) && typeof value === 'string' ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

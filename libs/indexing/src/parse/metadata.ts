import { cleanText } from './decode-text.js';

const METADATA_BYTES_MAX = 16_384;
const VALUE_CHARACTERS_MAX = 2_000;
const DEPTH_MAX = 8;
const ITEMS_MAX = 200;

/**
 * What a document says about itself as JSON that can be stored: dates in ISO form, no empty values, long texts cut,
 * and of the fields, in their order, those that fit into 16 kB.
 */
export function boundedMetadata(fields: Record<string, unknown>): Record<string, unknown> {
  const bounded: Record<string, unknown> = {};
  let bytes = 2;
  for (const [name, value] of Object.entries(fields).slice(0, ITEMS_MAX)) {
    const json = jsonValue(value, DEPTH_MAX);
    if (json === undefined) continue;
    const key = cleanText(name).slice(0, VALUE_CHARACTERS_MAX).toWellFormed();
    bytes += Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(JSON.stringify(json)) + 2;
    if (bytes > METADATA_BYTES_MAX) break;
    // Not an assignment: a field may be named __proto__.
    Object.defineProperty(bounded, key, {
      value: json,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return bounded;
}

/** Undefined for what says nothing or is no JSON. */
function jsonValue(value: unknown, depth: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (typeof value === 'string') {
    return cleanText(value).trim().slice(0, VALUE_CHARACTERS_MAX).toWellFormed() || undefined;
  }
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || depth === 0) return undefined;
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).map((item) => jsonValue(item, depth - 1));
    const known = items.filter((item) => item !== undefined);
    return known.length > 0 ? known : undefined;
  }
  const nested = Object.entries(value).slice(0, ITEMS_MAX);
  return Object.fromEntries(
    nested.flatMap(([name, item]) => {
      const json = jsonValue(item, depth - 1);
      return json === undefined
        ? []
        : [[cleanText(name).slice(0, VALUE_CHARACTERS_MAX).toWellFormed(), json]];
    }),
  );
}

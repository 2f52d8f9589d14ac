import { parse } from 'yaml';
import { boundedMetadata } from './metadata.js';

const FRONT_MATTER_CHARACTERS_MAX = 65_536;
const fenced = /^---[ \t]*\n([\s\S]*?)(?<=\n)(?:---|\.\.\.)[ \t]*(?:\n|$)/;
const field = /^([\w-]{1,100})[ \t]*:[ \t]*(.*)$/gm;

export interface FrontMatter {
  /** Characters it takes at the start of the text; 0 when there is none. */
  length: number;
  title: string | null;
  /** Its other fields. */
  metadata: Record<string, unknown>;
}

/** YAML between two lines of hyphens. What begins with a rule and is no YAML of fields is text. */
export function readFrontMatter(text: string): FrontMatter {
  const none = { length: 0, title: null, metadata: {} };
  if (!text.startsWith('---')) return none;
  const [whole, yaml] = fenced.exec(text.slice(0, FRONT_MATTER_CHARACTERS_MAX)) ?? [];
  if (whole === undefined || yaml === undefined) return none;
  const fields = fieldsOf(yaml);
  if (!fields) return none;
  const { title, ...metadata } = fields;
  const isNamed = typeof title === 'string' || typeof title === 'number';
  return {
    length: whole.length,
    title: (isNamed && String(title).trim()) || null,
    metadata: boundedMetadata(metadata),
  };
}

/** Null where the text has no fields. Aliases, by which ten lines become a million, make it unreadable. */
function fieldsOf(yaml: string): Record<string, unknown> | null {
  if (yaml.trim() === '') return {};
  try {
    const value: unknown = parse(yaml, { maxAliasCount: 100, logLevel: 'error', uniqueKeys: false });
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    return null;
  } catch {
    // Written by hand: `title: Pumps: a guide`.
    if (!/^[\w-]{1,100}[ \t]*:/.test(yaml.trimStart())) return null;
    return Object.fromEntries(
      Array.from(yaml.matchAll(field), ([, name, value]) => [name, unquoted(value!)]),
    );
  }
}

function unquoted(value: string): string {
  return value.trim().replace(/^(["'])(.*)\1$/, '$2');
}

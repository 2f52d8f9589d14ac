import type { Random } from '../faults/random.js';

/** As much of JSON Schema as the OpenAPI document uses. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
}

export interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema?: JsonSchema }[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, unknown>;
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema> };
}

/** Texts for what is named so; "" for all others. */
export type Texts = Record<string, readonly string[]>;

const DEPTH_MAX = 5;

/** Values that fit a schema, and such that do not quite. */
export class SchemaSampler {
  constructor(
    private readonly schemas: Record<string, JsonSchema>,
    private readonly random: Random,
    private readonly texts: Texts,
  ) {}

  valid(schema: JsonSchema | undefined, name = '', depth = 0): unknown {
    const found = this.resolve(schema ?? {});
    const options = found.anyOf ?? found.oneOf;
    if (options) return this.valid(this.random.pick(options), name, depth);
    if (found.const !== undefined) return found.const;
    if (found.enum) return this.random.pick(found.enum);
    const type = Array.isArray(found.type) ? this.random.pick(found.type) : found.type;
    if (type === 'object' || found.properties) return this.object(found, depth);
    if (type === 'array') {
      if (depth > DEPTH_MAX) return [];
      const count = (found.minItems ?? 0) + this.random.integer(3);
      return Array.from({ length: count }, () => this.valid(found.items, name, depth + 1));
    }
    if (type === 'integer' || type === 'number') {
      const least = Math.max(found.minimum ?? 0, -1_000);
      return least + this.random.integer(Math.max(1, Math.min(found.maximum ?? 100, 1_000) - least));
    }
    if (type === 'boolean') return this.random.integer(2) === 0;
    if (type === 'null') return null;
    return this.random.pick(this.texts[name] ?? this.texts['']!);
  }

  /** One thing, somewhere in a value that fits, is not as it should be. */
  bad(schema: JsonSchema | undefined): unknown {
    const value = this.valid(schema);
    return this.random.integer(8) === 0 ? this.nonsense() : this.spoil(value);
  }

  nonsense(): unknown {
    return this.random.pick<unknown>([
      null,
      true,
      -1,
      0,
      1e308,
      Number.MAX_SAFE_INTEGER,
      3_000_000_000,
      0.5,
      '',
      ' ',
      '\0',
      '\ud800',
      '../../etc/passwd',
      `'; drop table documents; --`,
      '%00%ff',
      '$ne',
      '{{7*7}}',
      'a'.repeat(70_000),
      '\u202e\ufeff\u200b',
      'constructor',
      '00000000-0000-0000-0000-000000000000',
      [],
      [[]],
      {},
      { $gt: {} },
      { toString: 1, hasOwnProperty: null },
      JSON.parse('{"__proto__": {"a": 1}}'),
      Array.from({ length: 2_000 }, (_, n) => n),
      nested(60),
    ]);
  }

  private object(schema: JsonSchema, depth: number): Record<string, unknown> {
    const required = new Set(schema.required);
    const value: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (required.has(name) || (depth <= DEPTH_MAX && this.random.integer(3) === 0)) {
        value[name] = this.valid(property, name, depth + 1);
      }
    }
    if (schema.additionalProperties && depth <= DEPTH_MAX && this.random.integer(2) === 0) {
      const extra = schema.additionalProperties === true ? {} : schema.additionalProperties;
      value[this.random.pick(this.texts.key ?? this.texts['']!)] = this.valid(extra, '', depth + 1);
    }
    return value;
  }

  private spoil(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return this.nonsense();
    const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value };
    const names = Object.keys(copy);
    const target = copy as Record<string, unknown>;
    if (names.length === 0 || this.random.integer(5) === 0) {
      if (Array.isArray(copy)) return [...copy, this.nonsense()];
      target[this.random.pick(['unknown', 'question', 'constructor', 'length', ''])] = this.nonsense();
      return copy;
    }
    const name = this.random.pick(names);
    if (this.random.integer(6) === 0) delete target[name];
    else target[name] = this.random.integer(3) === 0 ? this.spoil(target[name]) : this.nonsense();
    return copy;
  }

  private resolve(schema: JsonSchema): JsonSchema {
    if (schema.$ref) return this.resolve(this.schemas[schema.$ref.split('/').at(-1)!] ?? {});
    return schema.allOf ? Object.assign({}, ...schema.allOf.map((part) => this.resolve(part))) : schema;
  }
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = { $and: [value] };
  return value;
}

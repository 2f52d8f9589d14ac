import { RagError } from '#libs/errors';

export type Scalar = string | number | boolean | null;

/**
 * Which documents a search may use, by their metadata, in the operators that MongoDB made common:
 * `{"lang": "en", "year": {"$gte": 2020, "$lt": 2024}, "$or": [{"tags": {"$contains": "hr"}}, {"public": true}]}`.
 * Fields beside each other must all hold. A dot in a field's name leads into an object.
 */
export type MetadataFilter = Record<string, unknown>;

/** A condition on `d.metadata`, never null, with what it binds. */
export interface FilterSql {
  text: string;
  values: unknown[];
}

const CONDITIONS_MAX = 100;
const DEPTH_MAX = 10;
const LIST_MAX = 1_000;

type Comparison = '$gt' | '$gte' | '$lt' | '$lte';
const sqlOf: Record<Comparison, string> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };
const operators = '$eq $ne $gt $gte $lt $lte $in $nin $exists $contains $not';

/**
 * A filter as SQL over `d.metadata`; every value is a parameter, from `$firstParameter` on.
 * - Values are compared with their type: 5 is not "5". `$gt` and its like compare numbers with numbers and text with
 *   text (by code point, so ISO dates sort).
 * - `$eq`, `$in`: a field that holds a list matches when it is equal or one of its elements is.
 * - `$ne`, `$nin`, `$not`: the exact opposite, so they also keep documents without the field.
 * - `$contains`: an element of a list, or a part of a text.
 * @throws {RagError} invalid_request, saying which part is wrong
 */
export function compileFilter(filter: MetadataFilter, firstParameter: number): FilterSql {
  const compiler = new FilterCompiler(firstParameter);
  return { text: compiler.filter(filter, 'filters', 1), values: compiler.values };
}

class FilterCompiler {
  readonly values: unknown[] = [];
  private conditions = 0;

  constructor(private readonly firstParameter: number) {}

  filter(filter: unknown, path: string, depth: number): string {
    if (!isObject(filter)) throw wrong(path, 'must be an object of fields and conditions');
    if (depth > DEPTH_MAX) throw wrong(path, `is nested deeper than ${DEPTH_MAX} levels`);
    const parts = Object.entries(filter).map(([key, value]) => {
      const at = `${path}.${key}`;
      if (key === '$and' || key === '$or') return this.list(key, value, at, depth);
      if (key === '$not') return `not ${this.filter(value, at, depth + 1)}`;
      if (key.startsWith('$')) {
        throw wrong(at, `is not an operator here; known: $and, $or, $not, and inside a field ${operators}`);
      }
      return this.field(key, value, at, depth);
    });
    return parts.length === 0 ? 'true' : `(${parts.join(' and ')})`;
  }

  private list(operator: '$and' | '$or', value: unknown, path: string, depth: number): string {
    if (!Array.isArray(value) || value.length === 0)
      throw wrong(path, 'must be a list of filters, not empty');
    const parts = value.map((part, index) => this.filter(part, `${path}[${index}]`, depth + 1));
    return `(${parts.join(operator === '$and' ? ' and ' : ' or ')})`;
  }

  private field(key: string, value: unknown, path: string, depth: number): string {
    if (!isStorable(key)) throw wrong(path, 'is not the name of a field');
    const field = `(d.metadata #> ${this.bind(key.split('.'), 'text[]')})`;
    if (!isObject(value)) return this.equal(field, scalar(value, path));
    return this.fieldConditions(field, value, path, depth);
  }

  private fieldConditions(
    field: string,
    conditions: Record<string, unknown>,
    path: string,
    depth: number,
  ): string {
    if (depth > DEPTH_MAX) throw wrong(path, `is nested deeper than ${DEPTH_MAX} levels`);
    const parts = Object.entries(conditions).map(([operator, value]) =>
      this.condition(field, operator, value, `${path}.${operator}`, depth),
    );
    if (parts.length === 0) throw wrong(path, `needs a value or an operator; known: ${operators}`);
    return `(${parts.join(' and ')})`;
  }

  private condition(field: string, operator: string, value: unknown, path: string, depth: number): string {
    switch (operator) {
      case '$eq':
        return this.equal(field, scalar(value, path));
      case '$ne':
        return `not ${this.equal(field, scalar(value, path))}`;
      case '$in':
        return this.in(field, value, path);
      case '$nin':
        return `not ${this.in(field, value, path)}`;
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        return this.compare(field, operator, value, path);
      case '$exists':
        if (typeof value !== 'boolean') throw wrong(path, 'must be true or false');
        return `${field} is ${value ? 'not ' : ''}null`;
      case '$contains':
        return this.contains(field, scalar(value, path));
      case '$not':
        if (!isObject(value)) throw wrong(path, 'must be an object of operators');
        return `not ${this.fieldConditions(field, value, path, depth + 1)}`;
      default:
        throw wrong(path, `is not an operator; known: ${operators}`);
    }
  }

  private equal(field: string, value: Scalar): string {
    const wanted = this.bind(JSON.stringify(value), 'jsonb');
    return `coalesce(${field} = ${wanted} or (jsonb_typeof(${field}) = 'array' and ${field} @> ${wanted}), false)`;
  }

  private in(field: string, value: unknown, path: string): string {
    if (!Array.isArray(value) || value.length > LIST_MAX) {
      throw wrong(path, `must be a list of at most ${LIST_MAX} values`);
    }
    const wanted = this.bind(
      value.map((element, index) => JSON.stringify(scalar(element, `${path}[${index}]`))),
      'jsonb[]',
    );
    return `coalesce(${field} = any(${wanted}) or (jsonb_typeof(${field}) = 'array' and exists (
      select from jsonb_array_elements(case jsonb_typeof(${field}) when 'array' then ${field} end) element
      where element = any(${wanted}))), false)`;
  }

  /** `case` and not `and`: PostgreSQL may look at the cast first. */
  private compare(field: string, operator: Comparison, value: unknown, path: string): string {
    const sql = sqlOf[operator];
    if (typeof value === 'number') {
      const wanted = this.bind(value, 'numeric');
      return `coalesce(case jsonb_typeof(${field}) when 'number' then ${field}::numeric ${sql} ${wanted} end, false)`;
    }
    if (typeof value === 'string' && isStorable(value)) {
      const wanted = this.bind(value, 'text');
      return `coalesce(case jsonb_typeof(${field}) when 'string' then (${field} #>> '{}') collate "C" ${sql} ${wanted} end, false)`;
    }
    throw wrong(path, 'must be a number or a text');
  }

  private contains(field: string, value: Scalar): string {
    const element = this.bind(JSON.stringify(value), 'jsonb');
    const isElement = `(jsonb_typeof(${field}) = 'array' and ${field} @> ${element})`;
    if (typeof value !== 'string') return `coalesce(${isElement}, false)`;
    const part = this.bind(value, 'text');
    return `coalesce(${isElement} or (jsonb_typeof(${field}) = 'string' and strpos(${field} #>> '{}', ${part}) > 0), false)`;
  }

  private bind(value: unknown, type: string): string {
    this.conditions += 1;
    if (this.conditions > CONDITIONS_MAX) {
      throw wrong('filters', `has more than ${CONDITIONS_MAX} fields and values; use $in for long lists`);
    }
    this.values.push(value);
    return `$${this.firstParameter + this.values.length - 1}::${type}`;
  }
}

function scalar(value: unknown, path: string): Scalar {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string' && isStorable(value)) return value;
  throw wrong(path, 'must be a text, a number, true, false or null');
}

/** What PostgreSQL takes as text. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(path: string, problem: string): RagError {
  return new RagError('invalid_request', `${path} ${problem}.`, {
    details: { errors: [{ path, message: problem }] },
  });
}

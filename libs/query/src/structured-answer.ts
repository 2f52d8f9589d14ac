import { z } from 'zod';
import { RagError } from '#libs/errors';
import type { Source } from '#libs/retrieval';
import { type Citation, citeQuote, type DegradedReason } from './answer.js';
import { type OutputPolicy, withoutInvisible } from './output-policy.js';

/** What the answer is to look like: JSON of this schema. */
export interface ResponseFormat {
  name: string;
  schema: Record<string, unknown>;
}

const SCHEMA_CHARACTERS_MAX = 32_000;
/** Regular expressions of strangers can take for ever, and there is no way to end them. */
const refusedKeywords = new Set(['pattern', 'patternProperties', 'propertyNames']);

const replySchema = z.object({
  answer: z.unknown(),
  citations: z.array(z.object({ source: z.number().int(), quote: z.string() })).default([]),
});

/** @throws {RagError} invalid_request for a schema that can't be kept to */
export function validatorOf({ schema }: ResponseFormat): z.ZodType {
  if (JSON.stringify(schema).length > SCHEMA_CHARACTERS_MAX) {
    throw unusable(`has more than ${SCHEMA_CHARACTERS_MAX} characters`);
  }
  const refused = findKeyword(schema);
  if (refused) throw unusable(`uses "${refused}", which is not supported`);
  try {
    return z.fromJSONSchema(schema);
  } catch (error) {
    throw unusable(`can't be used: ${(error as Error).message}`);
  }
}

/** For the model: the answer of that schema, or null, with the quotes that it rests on. */
export function wrapped({ name, schema }: ResponseFormat): ResponseFormat {
  const citation = {
    type: 'object',
    properties: { source: { type: 'integer' }, quote: { type: 'string' } },
    required: ['source', 'quote'],
    additionalProperties: false,
  };
  return {
    name,
    schema: {
      type: 'object',
      properties: {
        answer: { anyOf: [schema, { type: 'null' }] },
        citations: { type: 'array', items: citation },
      },
      required: ['answer', 'citations'],
      additionalProperties: false,
    },
  };
}

export interface CheckedObject {
  /** JSON of `structured`. */
  text: string;
  structured: unknown;
  citations: Citation[];
  unsupported: [];
  degradedReasons: DegradedReason[];
}

/**
 * Takes a structured reply apart: the answer must be of the schema, and only quotes that stand in their source are cited.
 * Addresses that the policy refuses are taken out of its texts. Null when the model says that there is no answer.
 * @throws {RagError} model_unavailable when the reply is no JSON of the schema
 */
function checkStructured(
  reply: string,
  validator: z.ZodType,
  sources: readonly Source[],
  policy: OutputPolicy,
): CheckedObject | null {
  const parsed = replySchema.safeParse(jsonOf(reply));
  if (!parsed.success) throw invalidReply('is no JSON with an answer and citations');
  const { answer, citations: given } = parsed.data;
  if (answer === null) return null;
  const checked = validator.safeParse(answer);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw invalidReply(`is not of the schema: ${issue!.path.join('.')}: ${issue!.message}`);
  }
  let removed = 0;
  const structured = mapTexts(answer, (text) =>
    withoutInvisible(text).replaceAll(/(?:[a-z][a-z0-9+.-]*:\/\/|www\.)[^\s"'`)\]]*/gi, (url) => {
      if (policy.allowsUrl(url)) return url;
      removed += 1;
      return '(link removed)';
    }),
  );
  const citations: Citation[] = [];
  for (const { source, quote } of given) {
    const cited = sources[source - 1] && citeQuote(sources[source - 1]!, quote, citations.length + 1);
    if (cited) citations.push(cited);
  }
  const degradedReasons: DegradedReason[] = [];
  if (citations.length < given.length) degradedReasons.push('citation_unverified');
  if (citations.length === 0) degradedReasons.push('uncited_answer');
  if (removed > 0) degradedReasons.push('link_removed');
  return { text: JSON.stringify(structured), structured, citations, unsupported: [], degradedReasons };
}

/** A structured reply on its way: nothing of it may be shown before it is whole. */
export class StructuredText {
  private reply = '';
  private result: CheckedObject | null = null;

  constructor(
    private readonly sources: readonly Source[],
    private readonly policy: OutputPolicy,
    private readonly validator: z.ZodType,
  ) {}

  push(text: string): string {
    this.reply += text;
    return '';
  }

  /** @throws as `checkStructured` */
  end(): string {
    this.result = checkStructured(this.reply, this.validator, this.sources, this.policy);
    return this.result?.text ?? '';
  }

  /** After the end. Null when the sources hold no answer. */
  get checked(): CheckedObject | null {
    return this.result;
  }
}

/** Models like to wrap JSON into a block of code. */
function jsonOf(reply: string): unknown {
  const bare = /^\s*```(?:json)?\s*([^]*?)\s*```\s*$/.exec(reply)?.[1] ?? reply;
  try {
    return JSON.parse(bare) as unknown;
  } catch {
    return undefined;
  }
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapTexts(inner, change)]));
}

function findKeyword(schema: unknown): string | null {
  if (typeof schema !== 'object' || schema === null) return null;
  for (const [name, inner] of Object.entries(schema)) {
    if (refusedKeywords.has(name) && !Array.isArray(schema)) return name;
    const found = findKeyword(inner);
    if (found) return found;
  }
  return null;
}

function unusable(why: string): RagError {
  return new RagError('invalid_request', `The schema of response_format ${why}.`);
}

function invalidReply(why: string): RagError {
  return new RagError('model_unavailable', `The structured reply of the model ${why}.`, {
    retryable: true,
    details: { kind: 'malformed' },
  });
}

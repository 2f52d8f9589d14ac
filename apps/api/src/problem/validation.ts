import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import { RagError } from '#libs/errors';

interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

const ISSUES_MAX = 20;
/** An unknown key or value may stand in a message, and is as long as its sender likes. */
const MESSAGE_CHARACTERS_MAX = 300;
const PATH_CHARACTERS_MAX = 200;

export function validationError(issues: readonly Issue[]): RagError {
  const errors = issues.slice(0, ISSUES_MAX).map(({ path, message }) => ({
    path: cut(pathOf(path), PATH_CHARACTERS_MAX),
    message: cut(message, MESSAGE_CHARACTERS_MAX),
  }));
  const detail = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  return new RagError('invalid_request', `The request is not valid: ${detail}`, { details: { errors } });
}

/** Validates bodies, queries and parameters by the schema at their decorator. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: validationError });
}

/** For input that no decorator can bind, such as the fields of a form. @throws {RagError} invalid_request */
export function parseWith<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw validationError(parsed.error.issues);
  return parsed.data;
}

function pathOf(path: Issue['path']): string {
  return (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax).toWellFormed()}...`;
}

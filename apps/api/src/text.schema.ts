import { z } from 'zod';

/** Text that PostgreSQL can store and a model can read. */
export function cleanText(options: { min: number; max: number }) {
  return z
    .string()
    .max(options.max, `must have at most ${options.max} characters`)
    .refine((text) => !text.includes('\0'), 'must not contain NUL characters')
    .refine((text) => text.isWellFormed(), 'must not contain lone surrogates (broken UTF-16)')
    .refine(
      (text) => text.trim().length >= options.min,
      options.min === 1 ? 'must not be empty' : `must have at least ${options.min} characters`,
    );
}

export const collectionName = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/,
    'must be 1-63 letters, digits, ".", "_" or "-", starting with a letter or digit',
  );

export const userId = cleanText({ min: 1, max: 200 });

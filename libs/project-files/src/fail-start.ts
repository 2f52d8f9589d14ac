import { isRagError } from '#libs/errors';

/** Ends a process that could not start: a foreseen failure with its sentence, any other with its stack. */
export function failStart(who: string, error: unknown): never {
  const known = isRagError(error) ? error.message : null;
  console.error(`${who} could not start: ${known ?? (error instanceof Error ? error.stack : String(error))}`);
  process.exit(1);
}

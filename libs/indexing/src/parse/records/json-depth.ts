import { RagError } from '#libs/errors';

const DEPTH_MAX = 200;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Counts brackets before anything is built from them.
 * @throws {RagError} document_too_large
 */
export function assertShallow(json: string): void {
  let depth = 0;
  let isString = false;
  for (let offset = 0; offset < json.length; offset += 1) {
    const code = json.charCodeAt(offset);
    if (isString) {
      if (code === BACKSLASH) offset += 1;
      else if (code === QUOTE) isString = false;
    } else if (code === QUOTE) {
      isString = true;
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > DEPTH_MAX) throw tooDeep();
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    }
  }
}

function tooDeep(): RagError {
  return new RagError(
    'document_too_large',
    `The JSON is nested more than ${DEPTH_MAX} levels deep, which is the most that is read. Write it flatter, or as one record a line (JSONL).`,
  );
}

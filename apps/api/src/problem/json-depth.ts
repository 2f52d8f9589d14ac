import { RagError } from '#libs/errors';

/** What reads a body calls itself for each level; at some thousands the stack is full. */
const DEPTH_MAX = 100;

/** @throws {RagError} invalid_json */
export function assertShallow(body: unknown): void {
  let level: object[] = isObject(body) ? [body] : [];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === DEPTH_MAX) {
      throw new RagError('invalid_json', `The JSON is nested deeper than ${DEPTH_MAX} levels.`);
    }
    const next: object[] = [];
    for (const container of level) {
      for (const value of Object.values(container)) if (isObject(value)) next.push(value);
    }
    level = next;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

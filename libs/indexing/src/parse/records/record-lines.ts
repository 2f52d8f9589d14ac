type JsonScalar = string | number | boolean | null;

const NAME_CHARACTERS_MAX = 200;

/**
 * A JSON value as lines `path: value`, the names of a path joined by dots. Lists of plain values stand in one line;
 * empty values are left out.
 */
export function recordLines(value: unknown, path: readonly string[] = []): string[] {
  const lines: string[] = [];
  add(lines, path, value);
  return lines;
}

function add(lines: string[], path: readonly string[], value: unknown): void {
  if (Array.isArray(value)) {
    if (value.every(isScalar)) addLine(lines, path, value.map(textOf).filter(Boolean).join(', '));
    else for (const [index, item] of value.entries()) add(lines, [...path, String(index + 1)], item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value))
      add(lines, [...path, name.slice(0, NAME_CHARACTERS_MAX)], item);
  } else {
    addLine(lines, path, textOf(value as JsonScalar));
  }
}

function addLine(lines: string[], path: readonly string[], text: string): void {
  if (text === '') return;
  lines.push(path.length > 0 ? `${path.join('.')}: ${text}` : text);
}

function isScalar(value: unknown): value is JsonScalar {
  return typeof value !== 'object' || value === null;
}

/** A blank line would end the record. */
function textOf(value: JsonScalar): string {
  return value === null
    ? ''
    : String(value)
        .trim()
        .replaceAll(/\n\s*\n+/g, '\n');
}

import { RagError } from '#libs/errors';
import { DocumentComposer } from '../document-composer.js';
import type { ParsedDocument } from '../parsed-document.js';
import { assertShallow } from './json-depth.js';
import { recordLines } from './record-lines.js';

const TITLE_CHARACTERS_MAX = 200;

/**
 * A list is a record for each element. Of an object, each object in it is a record, its lists of objects are records
 * below a heading with their name, and the rest is one record.
 * @throws {RagError} document_damaged, document_too_large
 */
export function parseJson(text: string): ParsedDocument {
  assertShallow(text);
  const document = new DocumentComposer();
  const value = parse(text);
  if (isObject(value)) addObject(document, value);
  else for (const element of Array.isArray(value) ? value : [value]) addRecord(document, element);
  const title = isObject(value) ? (value['title'] ?? value['name']) : null;
  return document.compose({ title: titleOf(title), pageCount: null, metadata: {} });
}

/**
 * A record for each line.
 * @param firstLine of the text, in its file
 * @throws {RagError} document_damaged, document_too_large
 */
export function parseJsonLines(text: string, firstLine = 1): ParsedDocument {
  const document = new DocumentComposer();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    assertShallow(line);
    addRecord(document, parse(line, firstLine + index));
  }
  return document.compose({ title: null, pageCount: null, metadata: {} });
}

function parse(text: string, line?: number): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (cause) {
    const where = line === undefined ? 'The file' : `Line ${line}`;
    throw new RagError(
      'document_damaged',
      `${where} is not valid JSON, or was cut off. Correct it and index the file again.`,
      { cause, ...(line !== undefined && { details: { line } }) },
    );
  }
}

function addObject(document: DocumentComposer, value: Record<string, unknown>): void {
  const fields = Object.entries(value);
  addRecord(
    document,
    Object.fromEntries(fields.filter(([, field]) => !isObject(field) && !isRecordList(field))),
  );
  for (const [name, field] of fields) if (isObject(field)) addRecord(document, field, [name]);
  for (const [name, field] of fields) {
    if (!isRecordList(field)) continue;
    document.addHeading(1, name);
    for (const element of field) addRecord(document, element);
  }
}

function addRecord(document: DocumentComposer, value: unknown, path: readonly string[] = []): void {
  document.add('record', recordLines(value, path).join('\n'));
}

function titleOf(value: unknown): string | null {
  return typeof value === 'string' && value.length <= TITLE_CHARACTERS_MAX ? value.trim() || null : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecordList(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

import { RagError } from '#libs/errors';
import { DocumentComposer } from '../document-composer.js';
import type { ParsedDocument } from '../parsed-document.js';
import { assertShallow } from './json-depth.js';
import { type JsonMember, type JsonSpan, membersOf, onlyValueOf } from './json-spans.js';
import { recordLines } from './record-lines.js';

const TITLE_CHARACTERS_MAX = 200;

/**
 * A list is a record for each element. Of an object, each object in it is a record, its lists of objects are records
 * below a heading with their name, and the rest is one record. No more than one record is built at a time: the values of
 * a file take many times the memory of its text.
 * @throws {RagError} document_damaged, document_too_large
 */
export function* parseJson(text: string): Generator<ParsedDocument, void> {
  assertShallow(text);
  try {
    yield* readValue(text);
  } catch (error) {
    throw error instanceof SyntaxError ? notJson(error) : error;
  }
}

function* readValue(text: string): Generator<ParsedDocument, void> {
  const document = new DocumentComposer();
  const value = onlyValueOf(text);
  const fields = text[value.start] === '{' ? [...membersOf(text, value)] : null;
  const about = { title: fields && titleOf(text, fields), pageCount: null, metadata: {} };
  for (const piece of fields ? piecesOfObject(text, fields) : piecesOfList(text, value)) {
    if ('heading' in piece) document.addHeading(1, piece.heading);
    else addRecord(document, piece.value, piece.path);
    if (document.isFull) yield document.compose(about);
  }
  yield document.compose(about);
}

type Piece = { heading: string } | { value: unknown; path?: readonly string[] };

function* piecesOfObject(text: string, fields: readonly JsonMember[]): Generator<Piece, void> {
  const objects = fields.filter((field) => isObject(text, field));
  const lists = fields.filter((field) => isRecordList(text, field));
  const others = fields.filter((field) => !objects.includes(field) && !lists.includes(field));
  yield { value: Object.fromEntries(others.map((field) => [field.name, valueAt(text, field)])) };
  for (const field of objects) yield { value: valueAt(text, field), path: [field.name] };
  for (const field of lists) {
    yield { heading: field.name };
    yield* piecesOfList(text, field);
  }
}

/** A single value is a list of one. */
function* piecesOfList(text: string, value: JsonSpan): Generator<Piece, void> {
  const elements = text[value.start] === '[' ? membersOf(text, value) : [value];
  for (const element of elements) yield { value: valueAt(text, element) };
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
    addRecord(document, parseLine(line, firstLine + index));
  }
  return document.compose({ title: null, pageCount: null, metadata: {} });
}

function addRecord(document: DocumentComposer, value: unknown, path: readonly string[] = []): void {
  document.add('record', recordLines(value, path).join('\n'));
}

function titleOf(text: string, fields: readonly JsonMember[]): string | null {
  const field =
    fields.find(({ name }) => name === 'title') ?? fields.find(({ name }) => name === 'name') ?? null;
  const value = field && !isObject(text, field) && valueAt(text, field);
  return typeof value === 'string' && value.length <= TITLE_CHARACTERS_MAX ? value.trim() || null : null;
}

function isObject(text: string, { start }: JsonSpan): boolean {
  return text[start] === '{';
}

function isRecordList(text: string, value: JsonSpan): boolean {
  if (text[value.start] !== '[') return false;
  let isEmpty = true;
  for (const element of membersOf(text, value)) {
    if (!isObject(text, element)) return false;
    isEmpty = false;
  }
  return !isEmpty;
}

function valueAt(text: string, { start, end }: JsonSpan): unknown {
  return JSON.parse(text.slice(start, end));
}

function parseLine(text: string, line: number): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (cause) {
    throw notJson(cause, line);
  }
}

function notJson(cause: unknown, line?: number): RagError {
  const where = line === undefined ? 'The file' : `Line ${line}`;
  return new RagError(
    'document_damaged',
    `${where} is not valid JSON, or was cut off. Correct it and index the file again.`,
    { cause, ...(line !== undefined && { details: { line } }) },
  );
}

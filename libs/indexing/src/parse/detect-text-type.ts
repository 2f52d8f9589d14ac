import { extname } from 'node:path';
import { sourceTypeByExtension, sourceTypeByFirstLine } from './code/languages.js';
import { byteOrderMark } from './decode-text.js';
import { utf16Of } from './guess-encoding.js';
import type { FileToDetect, SupportedMediaType } from './media-types.js';
import { unsupportedType } from './unsupported-type.js';

const SNIFFED_BYTES = 4_096;
const htmlStart = /^<(?:!doctype\s+html|html|head|body|title)[\s>]/i;

/** Text formats that would lose their structure when read as prose. */
const structuredText = /^\.(?:xml|svg|rtf|ipynb|mbox|ics|vcf|tex)$/;
const binaryFormat = /^\.(?:pdf|docx|docm|doc|pptx|pptm|ppt|xlsx|xlsm|xls|epub|zip)$/;
const typeByExtension: Record<string, SupportedMediaType | undefined> = {
  '.md': 'text/markdown',
  '.markdown': 'text/markdown',
  '.mdx': 'text/markdown',
  '.mkd': 'text/markdown',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.xhtml': 'text/html',
  '.csv': 'text/csv',
  '.tsv': 'text/tab-separated-values',
  '.tab': 'text/tab-separated-values',
  '.jsonl': 'application/jsonl',
  '.ndjson': 'application/jsonl',
};
const declaredTypes: Record<string, SupportedMediaType | undefined> = {
  'text/html': 'text/html',
  'text/plain': 'text/plain',
  'text/csv': 'text/csv',
  'text/tab-separated-values': 'text/tab-separated-values',
  'application/json': 'application/json',
  'application/jsonl': 'application/jsonl',
  'application/x-ndjson': 'application/jsonl',
};

/**
 * What kind of text it is: HTML, JSON and mail by how they begin, the rest by name and declared type.
 * @throws {RagError} unsupported_media_type
 */
export function textType({ bytes, filename, declaredMediaType }: FileToDetect): SupportedMediaType {
  const extension = extname(filename ?? '').toLowerCase();
  const isProse = extension === '.md' || extension === '.markdown' || extension === '.txt';
  const start = startOf(bytes);
  if (htmlStart.test(withoutPreamble(start))) return 'text/html';
  const named = typeByExtension[extension] ?? sourceTypeByExtension(extension);
  if (named === 'application/jsonl' || (!named && looksLikeJsonLines(start))) return 'application/jsonl';
  if (!named && !isProse && looksLikeJson(start, extension)) return 'application/json';
  if (!isProse && !named && looksLikeMail(start)) return 'message/rfc822';
  if (named) return named;
  if (binaryFormat.test(extension)) return namedAsBinary(extension, bytes);
  if (structuredText.test(extension)) throw unsupportedType(`Files of type ${extension} are not read.`);
  if (extension === '.json') return 'application/json';
  if (extension !== '') return 'text/plain';
  const script = sourceTypeByFirstLine(start);
  const declared = declaredMediaType?.split(';', 1)[0]!.trim().toLowerCase() ?? '';
  return script ?? declaredTypes[declared] ?? 'text/markdown';
}

function namedAsBinary(extension: string, bytes: Uint8Array): SupportedMediaType {
  // The job that reads an empty file says that it is empty.
  if (bytes.length === 0) return 'text/plain';
  throw unsupportedType(`The file is named ${extension} but its content is not of that type.`);
}

function startOf(bytes: Uint8Array): string {
  const encoding = byteOrderMark(bytes) ?? utf16Of(bytes) ?? 'utf-8';
  return new TextDecoder(encoding).decode(bytes.subarray(0, SNIFFED_BYTES)).trimStart();
}

/** One object, or a list; a Markdown link begins with a bracket too. */
function looksLikeJson(start: string, extension: string): boolean {
  if (extension === '.json') return true;
  return (
    /^\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\}\s*$)/.test(start) ||
    /^\[\s*(?:\{\s*"|\[\s*["[\d{]|"(?:[^"\\]|\\.)*"\s*,)/.test(start)
  );
}

/** Two lines or more that are an object each. */
function looksLikeJsonLines(start: string): boolean {
  const [first = '', second = ''] = start.split('\n', 2);
  return isObject(first) && second.trimStart().startsWith('{"');
}

function isObject(line: string): boolean {
  if (!line.startsWith('{')) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** Headers to the first blank line, of which some are those that every message has. */
function looksLikeMail(start: string): boolean {
  const [head = ''] = start.split(/\r?\n\r?\n/, 1);
  const lines = head.split(/\r?\n/).filter((line) => !/^(?:[ \t]|From )/.test(line));
  const names = lines.map((line) => /^([\w-]{1,76}):/.exec(line)?.[1]?.toLowerCase());
  // A head longer than what was looked at ends inside a line.
  const complete = head.length < start.length ? names : names.slice(0, -1);
  if (complete.length < 2 || complete.includes(undefined)) return false;
  const has = (...wanted: string[]) => wanted.some((name) => complete.includes(name));
  return has('from', 'sender', 'return-path') && has('date', 'message-id', 'mime-version', 'received', 'to');
}

/** Without white space, XML declarations and comments at its start. */
function withoutPreamble(start: string): string {
  let rest = start.trimStart();
  for (;;) {
    const [open, close] = rest.startsWith('<!--') ? ['<!--', '-->'] : ['<?xml', '>'];
    const end = rest.startsWith(open) ? rest.indexOf(close, open.length) : -1;
    if (end < 0) return rest;
    rest = rest.slice(end + close.length).trimStart();
  }
}

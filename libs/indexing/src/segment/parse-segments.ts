import { isRagError, type RagError } from '#libs/errors';
import { isBinary } from '../parse/decode-text.js';
import { type ParsedDocument, parseDocument, parseParts, type SupportedMediaType } from '../parse/index.js';
import { cutSegments } from './cut-segments.js';
import { segmentRuleOf } from './segment-rules.js';
import { TableStart } from './table-start.js';

const SEGMENT_BYTES = 2 * 1024 * 1024;
const LINE_END = 0x0a;
const nothing: ParsedDocument = { text: '', title: null, blocks: [], pageCount: null, metadata: {} };

export interface SourceToParse {
  source: AsyncIterable<Uint8Array>;
  byteCount: number;
  mediaType: string;
}

export interface ParsedSegment {
  /** Its spans count from the start of the segment's own text; put together, the texts are the document's. */
  document: ParsedDocument;
  isLast: boolean;
}

/**
 * Parses a document: a long text in segments, so that its length does not matter, everything else as its parser gives
 * it, from bytes that are held whole. There is
 * always a last segment; it may have no blocks.
 * @throws {RagError} as parseDocument
 */
export async function* parseSegments(
  { source, byteCount, mediaType }: SourceToParse,
  onPage?: (done: number, total: number) => void,
  segmentBytes = SEGMENT_BYTES,
): AsyncGenerator<ParsedSegment, void> {
  const type = mediaType as SupportedMediaType; // checked when the document was submitted
  const parts = source[Symbol.asyncIterator]();
  const first = await parts.next();
  const rest = startingWith(first, parts);
  const rule = segmentRuleOf(mediaType);
  // UTF-16 without a byte order mark can't be cut between bytes.
  if (!rule || byteCount <= segmentBytes || (first.value && isBinary(first.value))) {
    const documents = parseParts({ bytes: await readAll(rest), mediaType: type }, onPage);
    let next = await documents.next();
    while (!next.done) {
      const document = next.value;
      next = await documents.next();
      yield { document, isLast: next.done === true };
    }
    return;
  }
  let isEmpty: RagError | null = null;
  let hasBlocks = false;
  let end = '';
  let tableStart: TableStart | null = null;
  let firstLine = 1;
  const parse = (bytes: Uint8Array) => parseDocument({ bytes, mediaType: type, firstLine });
  for await (const { bytes, isLast } of cutSegments(rest, rule, segmentBytes)) {
    let document = nothing;
    try {
      document = tableStart ? tableStart.take(await parse(tableStart.put(bytes))) : await parse(bytes);
      hasBlocks = true;
    } catch (error) {
      if (!isRagError(error) || error.code !== 'document_empty') throw error;
      isEmpty = error;
    }
    if (rule.border !== 'blank-line' && document.blocks.length > 0) document = apart(end, document);
    end = document.text.slice(-2) || end;
    if (rule.hasColumns) tableStart ??= await TableStart.of(bytes, parse);
    firstLine += countLineEnds(bytes);
    if (isLast && !hasBlocks && isEmpty) throw isEmpty;
    yield { document, isLast };
  }
}

function countLineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, end + 1)) count += 1;
  return count;
}

/** Records are written with a blank line between them. */
function apart(before: string, document: ParsedDocument): ParsedDocument {
  const separator = before === '' || before === '\n\n' ? '' : before.endsWith('\n') ? '\n' : '\n\n';
  if (separator === '') return document;
  const move = separator.length;
  return {
    ...document,
    text: separator + document.text,
    blocks: document.blocks.map((block) => ({ ...block, start: block.start + move, end: block.end + move })),
  };
}

async function* startingWith(
  first: IteratorResult<Uint8Array, unknown>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

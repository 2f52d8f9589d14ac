import { Parser } from 'htmlparser2';

const PIECE_CHARACTERS = 256 * 1024;
const WRITTEN_CHARACTERS = 64 * 1024;
/** What a page is not cut in unless nothing else was found: a cell, a paragraph, a link. */
const PATIENCE = 4;
const HEADER_CHARACTERS_MAX = 20_000;

const blocks = new Set(
  'address article aside blockquote br center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody tr ul'.split(
    ' ',
  ),
);
const containers = new Set(
  'article aside blockquote body center dd details div dl fieldset figure footer form header html li main nav ol section table tbody ul'.split(
    ' ',
  ),
);
const notOpenedAgain = new Set(['html', 'head', 'body']);
const keptAttributes = ['hidden', 'aria-hidden', 'role'];

interface OpenElement {
  name: string;
  start: number;
  attributes: Record<string, string>;
  /** Of a table: its first row. */
  header: string;
  /** Of a list: items so far. */
  items: number;
}

/**
 * A long page as pieces that can be read one by one, cut behind blocks. Each begins with the tags that are open there; in
 * a table its first row stands above each piece's rows, and a list counts on.
 */
export function* cutHtml(html: string, pieceCharacters = PIECE_CHARACTERS): Generator<string, void> {
  const stack: OpenElement[] = [];
  const pieces: string[] = [];
  let start = 0;
  let opening = '';
  const isCuttable = (name: string, length: number) => {
    if (length >= pieceCharacters * PATIENCE) return true;
    return length >= pieceCharacters && blocks.has(name) && stack.every((open) => containers.has(open.name));
  };
  const parser = new Parser({
    onopentag(name, attributes) {
      stack.push({ name, start: parser.startIndex, attributes, header: '', items: 0 });
    },
    onclosetag(name, isImplied) {
      const end = isImplied ? parser.startIndex : parser.endIndex + 1;
      const element = stack.pop();
      if (!element || (!isImplied && html[end - 1] !== '>')) return;
      const parent = stack.at(-1);
      if (name === 'li' && parent) parent.items += 1;
      if (name === 'tr') keepHeader(stack, html.slice(element.start, end));
      if (!isCuttable(name, end - start)) return;
      pieces.push(opening + html.slice(start, end));
      opening = stack.map(tagsOf).join('');
      start = end;
    },
  });
  for (let offset = 0; offset < html.length; offset += WRITTEN_CHARACTERS) {
    parser.write(html.slice(offset, offset + WRITTEN_CHARACTERS));
    yield* pieces.splice(0);
  }
  if (start < html.length) yield opening + html.slice(start);
}

function keepHeader(stack: readonly OpenElement[], row: string): void {
  const table = stack.findLast(({ name }) => name === 'table');
  if (table && table.header === '' && row.length <= HEADER_CHARACTERS_MAX) table.header = row;
}

function tagsOf({ name, attributes, header, items }: OpenElement): string {
  if (notOpenedAgain.has(name)) return '';
  if (name === 'ol') return `<ol start="${(Number(attributes['start']) || 1) + items}">`;
  const kept = keptAttributes.filter((attribute) => attribute in attributes);
  const marks = kept.map((attribute) => ` ${attribute}="${attributes[attribute]!.replaceAll('"', '')}"`);
  return `<${name}${marks.join('')}>${header}`;
}

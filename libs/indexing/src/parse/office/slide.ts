import { markdownTable } from './markdown-table.js';
import { readXml } from './read-xml.js';

export interface SlidePart {
  kind: 'title' | 'text' | 'list' | 'table';
  text: string;
}

const titles = new Set(['title', 'ctrTitle']);
/** Slide number, date, header, footer, and in notes the picture of the slide. */
const furniture = new Set(['sldNum', 'dt', 'hdr', 'ftr', 'sldImg']);

interface Paragraph {
  level: number;
  text: string;
}

/** The text of a slide's shapes and tables, in their order. */
export function readSlide(bytes: Uint8Array): SlidePart[] {
  const parts: SlidePart[] = [];
  let placeholder: string | null = null;
  let paragraphs: Paragraph[] = [];
  let rows: string[][] | null = null;
  let isText = false;
  let copies = 0; // the same drawing again, for older programs
  const endShape = () => {
    if (placeholder === null || !furniture.has(placeholder))
      parts.push(...shapeParts(placeholder, paragraphs));
    placeholder = null;
    paragraphs = [];
  };
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'Fallback') copies += 1;
      else if (copies > 0) return;
      else if (name === 'sp') paragraphs = [];
      else if (name === 'ph') placeholder = attributes['type'] ?? 'body';
      else if (name === 'p') paragraphs.push({ level: 0, text: '' });
      else if (name === 'pPr' && paragraphs.length > 0)
        paragraphs.at(-1)!.level = Number(attributes['lvl'] ?? 0) || 0;
      else if (name === 'br' && paragraphs.length > 0) paragraphs.at(-1)!.text += '\n';
      else if (name === 't') isText = true;
      else if (name === 'tbl') rows = [];
      else if (name === 'tr') rows?.push([]);
      else if (name === 'tc') paragraphs = [];
    },
    text(text) {
      if (isText && copies === 0 && paragraphs.length > 0) paragraphs.at(-1)!.text += text;
    },
    close(name) {
      if (name === 'Fallback') copies -= 1;
      else if (copies > 0) return;
      else if (name === 't') isText = false;
      else if (name === 'sp') endShape();
      else if (name === 'tc') {
        rows?.at(-1)?.push(paragraphs.map(({ text }) => text).join(' '));
        paragraphs = [];
      } else if (name === 'tbl') {
        if (rows) parts.push({ kind: 'table', text: markdownTable(rows) });
        rows = null;
      }
    },
  });
  return parts;
}

/** The body of a slide is its bullets; a text box is a paragraph. */
function shapeParts(placeholder: string | null, paragraphs: readonly Paragraph[]): SlidePart[] {
  const filled = paragraphs.filter(({ text }) => text.trim() !== '');
  if (filled.length === 0) return [];
  if (placeholder !== null && titles.has(placeholder)) {
    return [{ kind: 'title', text: filled.map(({ text }) => text).join(' ') }];
  }
  const isList = filled.length > 1 && (placeholder === 'body' || placeholder === 'obj');
  if (!isList) return [{ kind: 'text', text: filled.map(({ text }) => text.trim()).join('\n') }];
  const items = filled.map(({ level, text }) => `${'  '.repeat(Math.min(level, 8))}- ${text.trim()}`);
  return [{ kind: 'list', text: items.join('\n') }];
}

import { highlightedCodeBlock, strikethrough, taskListItems } from '@joplin/turndown-plugin-gfm';
import TurndownService from 'turndown';
import { isLayout } from './layout-tables.js';

const COLUMNS_MAX = 1_000;

const turndown = new TurndownService({
  headingStyle: 'atx',
  codeBlockStyle: 'fenced',
  bulletListMarker: '-',
  emDelimiter: '*',
});
turndown.use([highlightedCodeBlock, strikethrough, taskListItems]);
turndown.remove(['script', 'style', 'noscript', 'iframe', 'form', 'button']);
turndown.addRule('images', { filter: 'img', replacement: (_content, node) => altTextOf(node) });
turndown.addRule('anchors without a target', {
  filter: (node) => node.nodeName === 'A' && /^(?:#|javascript:|$)/i.test(node.getAttribute('href') ?? ''),
  replacement: (content) => content,
});
// The plugin's own rule goes through the whole table for each of its cells: 2 s for 1,000 rows, 7 s on a busy machine.
turndown.addRule('cells', {
  filter: ['td', 'th'],
  replacement: (content, node) => (isLayout(node) ? `\n\n${content}\n\n` : cell(content, node)),
});
turndown.addRule('rows', {
  filter: 'tr',
  replacement: (content, node) => (isLayout(node) ? content : `\n|${content}`),
});
turndown.addRule('sections', { filter: ['thead', 'tbody', 'tfoot'], replacement: (content) => content });
turndown.addRule('tables', {
  filter: 'table',
  replacement: (content, node) => (isLayout(node) ? `\n\n${content}\n\n` : table(content)),
});
turndown.addRule('columns', { filter: ['colgroup', 'col'], replacement: () => '' });
turndown.addRule('captions', { filter: 'caption', replacement: (content) => `${content.trim()}\n` });
// Quotes must read as in the source: no backslash before every mark that Markdown could take for its own.
turndown.escape = (text) => text;

/**
 * HTML of a document's content as Markdown: headings, lists, tables, code and links kept, images as their words.
 * @param html with its layout tables marked
 */
export function toMarkdown(html: string): string {
  return turndown.turndown(html);
}

function altTextOf(node: TurndownService.Node): string {
  return 'getAttribute' in node ? (node.getAttribute('alt') ?? '').trim() : '';
}

function cell(content: string, node: TurndownService.Node): string {
  const span = 'getAttribute' in node ? Number(node.getAttribute('colspan') ?? 1) : 1;
  const text = content
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/(?<!\\)\|/g, '\\|');
  return ` ${text} |${'  |'.repeat(Math.min(COLUMNS_MAX, Math.max(1, span || 1)) - 1)}`;
}

/** What stands before the first row is the caption; the first row is the header. */
function table(content: string): string {
  const lines = content.split('\n').map((line) => line.trim());
  const caption = lines.filter((line) => line !== '' && !line.startsWith('|')).join(' ');
  const [header, ...rows] = lines.filter((line) => line.startsWith('|'));
  if (header === undefined) return `\n\n${caption}\n\n`;
  const columns = header.match(/(?<!\\)\|/g)!.length - 1;
  return `\n\n${caption}\n\n${[header, `|${' --- |'.repeat(columns)}`, ...rows].join('\n')}\n\n`;
}

import { gfm } from '@joplin/turndown-plugin-gfm';
import TurndownService from 'turndown';

const turndown = new TurndownService({
  headingStyle: 'atx',
  codeBlockStyle: 'fenced',
  bulletListMarker: '-',
  emDelimiter: '*',
});
turndown.use(gfm);
turndown.remove(['script', 'style', 'noscript', 'iframe', 'form', 'button']);
turndown.addRule('images', { filter: 'img', replacement: (_content, node) => altTextOf(node) });
turndown.addRule('anchors without a target', {
  filter: (node) => node.nodeName === 'A' && /^(?:#|javascript:|$)/i.test(node.getAttribute('href') ?? ''),
  replacement: (content) => content,
});
// Quotes must read as in the source: no backslash before every mark that Markdown could take for its own.
turndown.escape = (text) => text;

/** HTML of a document's content as Markdown: headings, lists, tables, code and links kept, images as their words. */
export function toMarkdown(html: string): string {
  return turndown.turndown(html);
}

function altTextOf(node: TurndownService.Node): string {
  return 'getAttribute' in node ? (node.getAttribute('alt') ?? '').trim() : '';
}

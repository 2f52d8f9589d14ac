import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { cleanText } from './decode-text.js';
import { markLayoutTables } from './layout-tables.js';
import { limitDepth } from './limit-depth.js';
import { toMarkdown } from './to-markdown.js';

/** Readability is for articles: a result with less than this share of the page's words missed its content. */
const CONTENT_SHARE_MIN = 0.3;
/** Readability weighs each against the others. */
const ELEMENTS_MAX = 100_000;
const boilerplate =
  'script, style, noscript, template, iframe, svg, nav, header, footer, aside, form, button, [hidden], [aria-hidden="true"], [role="navigation"], [role="banner"], [role="contentinfo"]';

/** A page's main content as Markdown, without navigation, banners and scripts. */
export function htmlToMarkdown(html: string): { markdown: string; title: string | null } {
  const document = open(html);
  const heading = textOf(document.querySelector('h1'));
  const named = textOf(document.querySelector('title'));
  const article = mainContent(document);

  for (const element of document.querySelectorAll(boilerplate)) element.remove();
  const wordsInAll = lengthOf(document.body?.textContent);
  const isMissed = lengthOf(article?.textContent) < wordsInAll * CONTENT_SHARE_MIN;
  const content = isMissed || !article?.content ? (document.body?.innerHTML ?? '') : article.content;

  const title = heading || article?.title?.trim() || named || null;
  const markdown = cleanText(toMarkdown(content)).trim();
  // Readability drops the heading that repeats the page's title; sections below it need it.
  const hasTitle = markdown.startsWith('# ') || !title || markdown === '';
  return { markdown: hasTitle ? markdown : `# ${title}\n\n${markdown}`, title };
}

/** All of a page's content, for HTML that has no navigation: a message, a chapter of a book. */
export function htmlBodyToMarkdown(html: string): string {
  const document = open(html);
  for (const element of document.querySelectorAll('script, style, template')) element.remove();
  return cleanText(toMarkdown(document.body?.innerHTML ?? '')).trim();
}

type Page = ReturnType<typeof parseHTML>['document'];

function open(html: string): Page {
  const page = isWholePage(html) ? html : `<!doctype html><html><body>${html}</body></html>`;
  const { document } = parseHTML(limitDepth(page));
  markLayoutTables(document);
  return document;
}

/** Null for a page that Readability can't judge, or could only in minutes. */
function mainContent(document: Page): ReturnType<Readability['parse']> {
  if (document.querySelectorAll('*').length > ELEMENTS_MAX) return null;
  try {
    return new Readability(document.cloneNode(true), { charThreshold: 0 }).parse();
  } catch {
    return null;
  }
}

function isWholePage(html: string): boolean {
  return /<(?:html|body)[\s>]/i.test(html);
}

function textOf(element: { textContent: string | null } | null): string {
  return (element?.textContent ?? '').replaceAll(/\s+/g, ' ').trim();
}

function lengthOf(text: string | null | undefined): number {
  return (text ?? '').replaceAll(/\s+/g, '').length;
}

import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { cutHtml } from './cut-html.js';
import { cleanText } from './decode-text.js';
import { DocumentComposer } from './document-composer.js';
import { markLayoutTables } from './layout-tables.js';
import { limitDepth } from './limit-depth.js';
import { parseMarkdown } from './markdown.js';
import type { ParsedDocument } from './parsed-document.js';
import { toMarkdown } from './to-markdown.js';

/** Pages above this are read in pieces: a tree takes some hundred times the memory of its HTML. */
const WHOLE_CHARACTERS_MAX = 2 * 1024 * 1024;

/** Readability is for articles: a result with less than this share of the page's words missed its content. */
const CONTENT_SHARE_MIN = 0.3;
/** Readability weighs each against the others. */
const ELEMENTS_MAX = 100_000;
const boilerplate =
  'script, style, noscript, template, iframe, svg, nav, header, footer, aside, form, button, [hidden], [aria-hidden="true"], [role="navigation"], [role="banner"], [role="contentinfo"]';

/**
 * A page's main content, without navigation, banners and scripts. What is the main content of a very long page is told
 * by its elements alone.
 */
export function* parseHtml(html: string): Generator<ParsedDocument, void> {
  if (html.length > WHOLE_CHARACTERS_MAX) {
    yield* parseLongPage(html);
    return;
  }
  const { markdown, title } = htmlToMarkdown(html);
  yield { ...parseMarkdown(markdown), ...(title && { title }) };
}

function* parseLongPage(html: string): Generator<ParsedDocument, void> {
  const composer = new DocumentComposer();
  let title: string | null | undefined;
  const compose = () => composer.compose({ title: title ?? null, pageCount: null, metadata: {} });
  for (const piece of htmlPieces(html)) {
    const document = open(piece);
    const isFirst = title === undefined;
    title ??= textOf(document.querySelector('h1')) || textOf(document.querySelector('title')) || null;
    for (const element of document.querySelectorAll(boilerplate)) element.remove();
    const markdown = cleanText(toMarkdown(document.body?.innerHTML ?? '')).trim();
    if (isFirst && title && !markdown.startsWith('# ')) composer.addHeading(1, title);
    composer.addDocument(parseMarkdown(markdown));
    if (composer.isFull) yield compose();
  }
  yield compose();
}

/** A text of HTML as it is, or a long one in pieces. */
export function htmlPieces(html: string): Iterable<string> {
  return html.length > WHOLE_CHARACTERS_MAX ? cutHtml(limitDepth(html)) : [html];
}

function htmlToMarkdown(html: string): { markdown: string; title: string | null } {
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

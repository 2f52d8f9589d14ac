import { describe, expect, it } from 'vitest';
import { cutHtml } from './cut-html.js';
import { htmlBodyToMarkdown } from './html.js';

const PIECE = 500;
const piecesOf = (html: string) => [...cutHtml(html, PIECE)];
const markdownOf = (html: string) => piecesOf(html).map(htmlBodyToMarkdown);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('cutHtml', () => {
  it('cuts between blocks, and keeps every word in its order', () => {
    const paragraphs = numbers(100).map(
      (n) => `<div><p>Paragraph <b>${n}</b> ends here.<p class="x">And ${n} goes on</div>`,
    );
    const html = `<html><head><title>T</title></head><body><main>${paragraphs.join('\n')}</main></body></html>`;
    const pieces = piecesOf(html);
    expect(pieces.length).toBeGreaterThan(5);
    for (const piece of pieces) expect(piece.length).toBeLessThan(PIECE * 3);
    expect(pieces.map(htmlBodyToMarkdown).join('\n\n')).toBe(htmlBodyToMarkdown(html));
  });

  it('repeats the first row of a long table above the rows of each piece', () => {
    const rows = numbers(100).map((n) => `<tr><td>pump ${n}<td>${n} l</tr>`);
    const pieces = markdownOf(
      `<table><thead><tr><th>Pump<th>Oil</tr></thead><tbody>${rows.join('')}</table>`,
    );
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces) expect(piece).toMatch(/^\| Pump \| Oil \|\n\| --- \| --- \|\n\| pump \d+ \|/);
    expect(pieces.join('\n').match(/pump \d+/g)).toEqual(numbers(100).map((n) => `pump ${n}`));
  });

  it('counts on in a long list', () => {
    const items = numbers(60).map((n) => `<li>Step number ${n}</li>`);
    const text = markdownOf(`<ol start="5">${items.join('')}</ol>`).join('\n');
    expect(text.match(/\d+\. {1,2}Step number \d+/g)?.map((line) => line.replace(/\s+/g, ' '))).toEqual(
      numbers(60).map((n) => `${n + 4}. Step number ${n}`),
    );
  });

  it('keeps the marks of what is not to be read', () => {
    const links = numbers(60).map((n) => `<div>link ${n}</div>`);
    for (const piece of piecesOf(`<nav><div hidden="">${links.join('')}</div></nav>`).slice(1)) {
      expect(piece).toMatch(/^<nav><div hidden=""><div>link/);
    }
  });

  it('cuts a page of one paragraph where it can', () => {
    const lines = numbers(1_000).map((n) => `line ${n}<br>`);
    const pieces = piecesOf(`<p>${lines.join('')}`);
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join('').match(/line \d+/g)).toEqual(numbers(1_000).map((n) => `line ${n}`));
  });
});

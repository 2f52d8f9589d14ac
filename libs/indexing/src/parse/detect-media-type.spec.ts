import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { docxParagraph, makeDocx, makePdf, makeZip } from '../../../../test/support/documents.js';
import { detectMediaType } from './detect-media-type.js';
import { docxMediaType, epubMediaType, pptxMediaType, xlsxMediaType } from './media-types.js';

const of = (content: string | Uint8Array, filename?: string, declaredMediaType?: string) =>
  detectMediaType({
    bytes: typeof content === 'string' ? Buffer.from(content) : content,
    ...(filename && { filename }),
    ...(declaredMediaType && { declaredMediaType }),
  });

describe('detectMediaType', () => {
  it('goes by content, whatever the name says', async () => {
    expect(await of(await makePdf([{ paragraphs: ['x'] }]), 'letter.txt')).toBe('application/pdf');
    expect(await of(makeDocx(docxParagraph('x')), 'letter.pdf')).toBe(docxMediaType);
    expect(await of('<!DOCTYPE html>\n<html><p>x</p></html>', 'page.txt')).toBe('text/html');
    expect(await of('<!-- saved page --><html lang="de"><p>x</p>')).toBe('text/html');
  });

  it('tells text formats apart by name, then by the declared type, then takes Markdown', async () => {
    expect(await of('# x', 'a.md')).toBe('text/markdown');
    expect(await of('<p>x</p>', 'a.htm')).toBe('text/html');
    expect(await of('x', 'notes.txt')).toBe('text/plain');
    expect(await of('x', 'server.log')).toBe('text/plain');
    expect(await of('x', undefined, 'text/plain; charset=utf-8')).toBe('text/plain');
    expect(await of('x', 'README', 'application/octet-stream')).toBe('text/markdown');
    expect(await of('', 'empty.txt')).toBe('text/plain');
  });

  it('looks past any number of comments', async () => {
    expect(await of(`${'<!---->'.repeat(100)}<html><p>x</p></html>`)).toBe('text/html');
    expect(await of(`${'<!---->'.repeat(120)} text`, 'a.txt')).toBe('text/plain');
  });

  it.each([
    ['{"a": [1, 2]}', undefined, 'application/json'],
    ['\ufeff\n[{"a": 1}]', 'export', 'application/json'],
    ['[link](https://x.test) and text', undefined, 'text/markdown'],
    ['[1] a footnote', 'notes', 'text/markdown'],
    ['{curly} text', undefined, 'text/markdown'],
    ['not JSON', 'a.json', 'application/json'],
    ['{"a":1}\n{"a":2}\n', undefined, 'application/jsonl'],
    ['{"a":1}\n', 'a.jsonl', 'application/jsonl'],
    ['{"a":1}', 'a.md', 'text/markdown'],
    ['a,b\n1,2', 'a.csv', 'text/csv'],
    ['a\tb', 'a.TSV', 'text/tab-separated-values'],
    ['<html><table><tr><td>1</td></tr></table></html>', 'export.csv', 'text/html'],
    ['From: a@x.test\r\nTo: b@x.test\r\nSubject: Hi\r\n\r\nHello', undefined, 'message/rfc822'],
    [
      'Return-Path: <a@x.test>\nReceived: from x\n by y\nFrom: a@x.test\n\nHello',
      'mail.eml',
      'message/rfc822',
    ],
    ['From: a\nTo: b\n\nnotes', 'a.txt', 'text/plain'],
    ['Note: this\nTo: do\n\nthat', undefined, 'text/markdown'],
    ['hello', 'a.eml', 'text/plain'],
    ['def f():\n  pass\n', 'a.py', 'text/x-python'],
    ['export const a = 1;', 'a.TS', 'text/x-typescript'],
    ['#!/usr/bin/env python3\nprint(1)\n', 'tool', 'text/x-python'],
    ['#!/bin/bash -e\necho\n', undefined, 'text/x-shellscript'],
    ['fun main() {}', 'a.kt', 'text/x-source'],
    ['key: value', 'a.yaml', 'text/plain'],
  ] as const)('takes %j named %s for %s', async (content, filename, mediaType) => {
    expect(await of(content, filename)).toBe(mediaType);
  });

  it('knows the documents that are packed as ZIP apart by what is in them', async () => {
    const zip = (...paths: string[]) =>
      zipSync(Object.fromEntries(paths.map((path) => [path, strToU8('x')])));
    const types = '[Content_Types].xml';
    expect(await of(zip(types, 'ppt/presentation.xml'), 'a.docx')).toBe(pptxMediaType);
    expect(await of(zip(types, 'xl/workbook.xml'), 'a.zip')).toBe(xlsxMediaType);
    expect(await of(zip(types, 'word/document.xml', 'word/vbaProject.bin'), 'a.docm')).toBe(docxMediaType);
    expect(await of(zip('mimetype', 'META-INF/container.xml'))).toBe(epubMediaType);
    await expect(of(zip('mimetype', 'content.xml'), 'a.odt')).rejects.toThrow(/OpenDocument/);
    await expect(of(zip(types, 'xl/workbook.bin'), 'a.xlsb')).rejects.toThrow(/xlsb/);
  });

  it('takes a document that was cut off for what it begins as', async () => {
    const docx = makeDocx(docxParagraph('x'));
    expect(await of(docx.subarray(0, docx.length - 100), 'a.docx')).toBe(docxMediaType);
  });

  it('says that an Office document with a password has one', async () => {
    const container = Buffer.alloc(2_048);
    Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(container);
    container.write('EncryptedPackage', 1_024, 'utf16le');
    await expect(of(container, 'a.xlsx')).rejects.toMatchObject({ code: 'document_encrypted' });
  });

  it('takes UTF-16 with a byte order mark for text', async () => {
    expect(await of(Buffer.from('\ufeffhello', 'utf16le'), 'a.txt')).toBe('text/plain');
  });

  it.each([
    ['a renamed archive', makeZip(), 'a.docx', /ordinary ZIP archive/],
    ['an archive', makeZip(), 'a.zip', /document of each of its files/],
    ['an old Word document', Buffer.from('d0cf11e0a1b11ae1'.padEnd(2000, '0'), 'hex'), 'a.doc', /\.docx/],
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'a.md', /image\/png/],
    ['binary data', Buffer.from([1, 2, 0, 4]), 'a.md', /binary/],
    ['a drawing', Buffer.from('<svg/>'), 'a.svg', /\.svg/],
    ['text that is named PDF', Buffer.from('hello'), 'a.pdf', /named \.pdf/],
  ])('refuses %s and says what to do', async (_what, bytes, filename, message) => {
    await expect(of(bytes, filename)).rejects.toMatchObject({
      code: 'unsupported_media_type',
      message: expect.stringMatching(message),
    });
  });
});

import { readXml } from '../office/read-xml.js';
import { ParagraphReader, type Reading } from './paragraph-reader.js';

/** Footnotes or endnotes as `[1] text`, with the number that the text refers to them by. */
export function readNotes(bytes: Uint8Array, reading: Reading): string[] {
  const notes: string[] = [];
  let id = '';
  let paragraphs: string[] = [];
  const reader = new ParagraphReader(reading, ({ text }) => paragraphs.push(text));
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'footnote' || name === 'endnote') {
        id = attributes['w:id'] ?? '';
        paragraphs = [];
      } else reader.open(name, attributes);
    },
    text: (text) => reader.text(text),
    close(name) {
      reader.close(name);
      const text = paragraphs.filter(Boolean).join(' ');
      if ((name === 'footnote' || name === 'endnote') && text) notes.push(`[${id}] ${text}`);
    },
  });
  return notes;
}

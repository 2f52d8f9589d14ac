import { XmlReader } from './read-xml.js';

/** The texts that cells refer to by number; formatting and the reading of Japanese words left out. */
export async function readSharedStrings(source: AsyncIterable<Uint8Array>): Promise<string[]> {
  const strings: string[] = [];
  let isText = false;
  let isReading = false;
  const reader = new XmlReader({
    open(name) {
      if (name === 'si') strings.push('');
      else if (name === 'rPh') isReading = true;
      else if (name === 't') isText = true;
    },
    text(text) {
      if (isText && !isReading && strings.length > 0) strings[strings.length - 1] += text;
    },
    close(name) {
      if (name === 't') isText = false;
      else if (name === 'rPh') isReading = false;
    },
  });
  for await (const part of source) reader.write(part);
  reader.end();
  return strings;
}

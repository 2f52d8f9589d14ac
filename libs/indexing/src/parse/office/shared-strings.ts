import { readXml } from './read-xml.js';

/** The texts that cells refer to by number; formatting and the reading of Japanese words left out. */
export function readSharedStrings(bytes: Uint8Array): string[] {
  const strings: string[] = [];
  let isText = false;
  let isReading = false;
  readXml(bytes, {
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
  return strings;
}

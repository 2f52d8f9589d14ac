import { readXml } from '../office/read-xml.js';

/** Of each list by its id: for each level whether its items are numbered. */
export function readListFormats(bytes: Uint8Array): Map<string, boolean[]> {
  const abstracts = new Map<string, boolean[]>();
  const lists = new Map<string, boolean[]>();
  let levels: boolean[] | null = null;
  let level = 0;
  let listId: string | null = null;
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'abstractNum') {
        levels = [];
        abstracts.set(attributes['w:abstractNumId'] ?? '', levels);
      } else if (name === 'num') listId = attributes['w:numId'] ?? null;
      else if (name === 'lvl') level = Number(attributes['w:ilvl']) || 0;
      else if (name === 'numFmt' && levels && level < 9) {
        levels[level] = !/^(?:bullet|none)$/.test(attributes['w:val'] ?? 'bullet');
      } else if (name === 'abstractNumId' && listId !== null) {
        lists.set(listId, abstracts.get(attributes['w:val'] ?? '') ?? []);
      }
    },
    close(name) {
      if (name === 'abstractNum') levels = null;
      else if (name === 'num') listId = null;
    },
  });
  return lists;
}

import Papa from 'papaparse';
import { DocumentComposer } from '../document-composer.js';
import type { ParsedDocument } from '../parsed-document.js';
import { addRows } from './records.js';

const delimiters = [',', ';', '\t', '|'];

/** Excel's way to name the delimiter. */
const separatorLine = /^sep=(.)\n/;

/** @param delimiter guessed from the first rows where it is not given */
export function parseCsv(text: string, delimiter = ''): ParsedDocument {
  const document = new DocumentComposer();
  const [line = '', separator] = separatorLine.exec(text) ?? [];
  const { data } = Papa.parse<string[]>(text.slice(line.length), {
    delimiter: separator ?? delimiter,
    delimitersToGuess: delimiters,
    skipEmptyLines: true,
  });
  addRows(document, data);
  return document.compose({ title: null, pageCount: null, metadata: {} });
}

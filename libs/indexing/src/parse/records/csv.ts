import Papa from 'papaparse';
import { DocumentComposer } from '../document-composer.js';
import type { ParsedDocument } from '../parsed-document.js';
import { RowWriter } from './row-writer.js';

const delimiters = [',', ';', '\t', '|'];

/** Excel's way to name the delimiter. */
const separatorLine = /^sep=(.)\n/;

/** @param delimiter guessed from the first rows where it is not given */
export function parseCsv(text: string, delimiter = ''): ParsedDocument {
  const document = new DocumentComposer();
  const [line = '', separator] = separatorLine.exec(text) ?? [];
  const writer = new RowWriter(document);
  Papa.parse<string[]>(text.slice(line.length), {
    delimiter: separator ?? delimiter,
    delimitersToGuess: delimiters,
    skipEmptyLines: true,
    // Row by row: a list of all of them takes many times the memory of the text.
    step: ({ data }) => writer.write(data),
  });
  writer.end();
  return document.compose({ title: null, pageCount: null, metadata: {} });
}

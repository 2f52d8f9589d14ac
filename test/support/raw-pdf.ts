import { deflateSync } from 'node:zlib';

/** An object's body, or a dictionary with a stream. */
export type PdfObject = string | { dictionary: string; stream: Uint8Array };

/** A PDF written object by object (the first is number 1 and the catalog), with a right table of them. */
export function writePdf(objects: readonly PdfObject[], { trailer = '' } = {}): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1')];
  const offsets: number[] = [];
  let length = parts[0]!.length;
  const add = (part: Buffer) => {
    parts.push(part);
    length += part.length;
  };
  for (const [index, object] of objects.entries()) {
    offsets.push(length);
    add(Buffer.from(`${index + 1} 0 obj\n`));
    if (typeof object === 'string') add(Buffer.from(object, 'latin1'));
    else {
      add(Buffer.from(`<< ${object.dictionary} /Length ${object.stream.length} >>\nstream\n`));
      add(Buffer.from(object.stream));
      add(Buffer.from('\nendstream'));
    }
    add(Buffer.from('\nendobj\n'));
  }
  const start = length;
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  add(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** With a stream for its table, which says that there are so many objects and is not long enough for one. */
export function writePdfWithStreamTable(objects: readonly PdfObject[], count: number): Buffer {
  const pdf = writePdf(objects);
  const start = pdf.indexOf('xref\n0 ');
  return Buffer.concat([
    pdf.subarray(0, start),
    Buffer.from(
      `${objects.length + 1} 0 obj\n<< /Type /XRef /Size ${count} /W [0 0 0] /Root 1 0 R /Length 1 >>\nstream\nx\nendstream\nendobj\nstartxref\n${start}\n%%EOF\n`,
    ),
  ]);
}

export const catalog = '<< /Type /Catalog /Pages 2 0 R >>';
export const font = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';

/** One page that draws `content`; object 4 is its stream, 5 its font, and `more` follow. */
export function onePage(
  content: PdfObject,
  { mediaBox = '[0 0 612 792]', more = [] as PdfObject[] } = {},
): PdfObject[] {
  return [
    catalog,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox ${mediaBox} /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>`,
    content,
    font,
    ...more,
  ];
}

export function drawn(text: string): PdfObject {
  return { dictionary: '', stream: Buffer.from(`BT /F 12 Tf 72 700 Td (${text}) Tj ET`, 'latin1') };
}

/** A stream that is deflated `times` over. */
export function deflated(content: Uint8Array, times: number): PdfObject {
  let stream = content;
  for (let time = 0; time < times; time += 1) stream = deflateSync(stream);
  return { dictionary: `/Filter [${' /FlateDecode'.repeat(times)} ]`, stream };
}

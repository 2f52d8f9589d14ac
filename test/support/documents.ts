import PDFDocument from 'pdfkit';
import { strToU8, zipSync } from 'fflate';

export interface PdfPage {
  heading?: string;
  paragraphs: string[];
}

/** A PDF by pdfkit: a heading and paragraphs a page, with running header and page number when asked. */
export async function makePdf(
  pages: readonly PdfPage[],
  options: { password?: string; running?: string; title?: string } = {},
): Promise<Buffer> {
  const pdf = new PDFDocument({
    autoFirstPage: false,
    size: 'A4',
    margin: 72,
    ...(options.password && { userPassword: options.password }),
    ...(options.title && { info: { Title: options.title } }),
  });
  const parts: Buffer[] = [];
  pdf.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => pdf.on('end', resolve));
  for (const [index, { heading, paragraphs }] of pages.entries()) {
    pdf.addPage();
    if (options.running) {
      pdf.fontSize(8).text(options.running, 72, 30, { lineBreak: false });
      pdf.fontSize(8).text(String(index + 1), 300, 800, { lineBreak: false, height: 20 });
    }
    pdf.x = 72;
    pdf.y = 72;
    if (heading) pdf.fontSize(20).text(heading).moveDown();
    for (const paragraph of paragraphs) pdf.fontSize(11).text(paragraph).moveDown();
  }
  pdf.end();
  await ended;
  return Buffer.concat(parts);
}

/** A page with a drawing and not one letter, as a scanner makes it. */
export async function makeScannedPdf(): Promise<Buffer> {
  const pdf = new PDFDocument();
  const parts: Buffer[] = [];
  pdf.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => pdf.on('end', resolve));
  pdf.rect(100, 100, 200, 200).fill('black');
  pdf.end();
  await ended;
  return Buffer.concat(parts);
}

/** The smallest DOCX that Word opens; `body` is WordprocessingML. */
export function makeDocx(body: string): Uint8Array {
  return zipSync({
    '[Content_Types].xml': strToU8(
      '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    ),
    '_rels/.rels': strToU8(
      '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    ),
    'word/document.xml': strToU8(
      `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
    ),
  });
}

export function docxParagraph(text: string, style?: string): string {
  const properties = style ? `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>` : '';
  return `<w:p>${properties}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

export function makeZip(): Uint8Array {
  return zipSync({ 'notes.txt': strToU8('just a note') });
}

import { strToU8, zipSync } from 'fflate';

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const officeDocument = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

/** A ZIP of text parts by their paths. */
export function makePackage(parts: Record<string, string>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(parts).map(([path, text]) => [path, strToU8(text)])));
}

export function relationships(
  targets: readonly { type: string; target: string; external?: boolean }[],
): string {
  const all = targets.map(
    ({ type, target, external }, index) =>
      `<Relationship Id="rId${index + 1}" Type="${officeDocument}/${type}" Target="${target}"${external ? ' TargetMode="External"' : ''}/>`,
  );
  return `${head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${all.join('')}</Relationships>`;
}

/** A workbook; a sheet is given as the XML inside its `worksheet` element. */
export function makeXlsx(
  sheets: readonly { name: string; xml: string }[],
  { styles = '', strings = '', date1904 = false, doctype = '' } = {},
): Uint8Array {
  const targets = [
    ...sheets.map((_, index) => ({ type: 'worksheet', target: `worksheets/sheet${index + 1}.xml` })),
    { type: 'styles', target: '/xl/styles.xml' },
    { type: 'sharedStrings', target: 'sharedStrings.xml' },
  ];
  const list = sheets.map(
    ({ name }, index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`,
  );
  return makePackage({
    '[Content_Types].xml': `${head}<Types/>`,
    'xl/workbook.xml': `${head}${doctype}<workbook xmlns:r="${officeDocument}"><workbookPr date1904="${date1904 ? 1 : 0}"/><sheets>${list.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships(targets),
    'xl/styles.xml': `${head}<styleSheet>${styles}</styleSheet>`,
    'xl/sharedStrings.xml': `${head}<sst>${strings}</sst>`,
    ...Object.fromEntries(
      sheets.map(({ xml }, index) => [
        `xl/worksheets/sheet${index + 1}.xml`,
        `${head}<worksheet>${xml}</worksheet>`,
      ]),
    ),
  });
}

/** A presentation; a slide is given as the XML of its shapes. Slides stand in the file in the reverse of their order. */
export function makePptx(slides: readonly string[], { doctype = '' } = {}): Uint8Array {
  const path = (index: number) => `slides/slide${slides.length - index}.xml`;
  const ids = slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${index + 1}"/>`);
  return makePackage({
    '[Content_Types].xml': `${head}<Types/>`,
    'ppt/presentation.xml': `${head}<p:presentation xmlns:p="p" xmlns:r="${officeDocument}"><p:sldIdLst>${ids.join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relationships(
      slides.map((_, index) => ({ type: 'slide', target: path(index) })),
    ),
    ...Object.fromEntries(
      slides.map((shapes, index) => [
        `ppt/${path(index)}`,
        `${head}${doctype}<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`,
      ]),
    ),
  });
}

export function pptxShape(paragraphs: readonly string[], placeholder = ''): string {
  const kind = placeholder && `<p:nvSpPr><p:nvPr><p:ph type="${placeholder}"/></p:nvPr></p:nvSpPr>`;
  const text = paragraphs.map((paragraph) => `<a:p><a:r><a:t>${paragraph}</a:t></a:r></a:p>`).join('');
  return `<p:sp>${kind}<p:txBody>${text}</p:txBody></p:sp>`;
}

export interface BookChapter {
  path: string;
  html: string;
  title?: string;
}

/** An EPUB with its contents in the form of EPUB 2 (an NCX) or EPUB 3 (a page of links). */
export function makeEpub(
  chapters: readonly BookChapter[],
  { version = 3, encryption = '' }: { version?: 2 | 3; encryption?: string } = {},
): Uint8Array {
  const titled = chapters.filter(({ title }) => title);
  const links = titled.map(({ path, title }) => `<li><a href="${encodeURI(path)}#start">${title}</a></li>`);
  const points = titled.map(
    ({ path, title }) =>
      `<navPoint><navLabel><text>${title}</text></navLabel><content src="${encodeURI(path)}"/></navPoint>`,
  );
  const contents =
    version === 3
      ? '<item id="toc" href="toc.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
      : '<item id="toc" href="toc.ncx" media-type="application/x-dtbncx+xml"/>';
  // The manifest is in another order than the spine.
  const items = chapters.map(
    ({ path }, index) =>
      `<item id="c${index}" href="${encodeURI(path)}" media-type="application/xhtml+xml"/>`,
  );
  return makePackage({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml': `${head}<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>`,
    ...(encryption && { 'META-INF/encryption.xml': encryption }),
    'OEBPS/book.opf': `${head}<package xmlns:dc="dc"><metadata><dc:title>A Book of Pumps</dc:title><dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator><dc:language>en</dc:language></metadata><manifest>${contents}${items.toReversed().join('')}</manifest><spine>${chapters.map((_, index) => `<itemref idref="c${index}"/>`).join('')}</spine></package>`,
    ...(version === 3
      ? {
          'OEBPS/toc.xhtml': `${head}<!DOCTYPE html><html><body><nav><ol>${links.join('')}</ol></nav></body></html>`,
        }
      : {
          'OEBPS/toc.ncx': `${head}<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://example.test/ncx.dtd"><ncx><navMap>${points.join('')}</navMap></ncx>`,
        }),
    ...Object.fromEntries(
      chapters.map(({ path, html }) => [
        `OEBPS/${path}`,
        `${head}<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>${html}</body></html>`,
      ]),
    ),
  });
}

import { posix } from 'node:path';
import type { OfficePackage } from '../office/office-package.js';
import { readXml } from '../office/read-xml.js';
import { type BookPackage, pathOf } from './book-package.js';

/** The first title that the table of contents gives to each chapter, by its path. */
export async function readContents(
  file: OfficePackage,
  { navigation, ncx }: BookPackage,
): Promise<ReadonlyMap<string, string>> {
  const path = navigation ?? ncx;
  const bytes = path ? await file.read(path) : null;
  const titles = new Map<string, string>();
  if (!path || !bytes) return titles;
  const folder = posix.dirname(path);
  let label = '';
  let href: string | null = null;
  let isLabel = false;
  const addTitle = () => {
    const title = label.replaceAll(/\s+/g, ' ').trim();
    const chapter = href === null ? null : pathOf(folder, href);
    if (chapter && title && !titles.has(chapter)) titles.set(chapter, title);
  };
  readXml(
    bytes,
    {
      open(name, attributes) {
        // EPUB 3 has links with their text; EPUB 2 a label and then the target.
        if (name === 'a' || name === 'navLabel') {
          label = '';
          isLabel = true;
        }
        if (name === 'a') href = attributes['href'] ?? null;
        if (name === 'content') {
          href = attributes['src'] ?? null;
          addTitle();
        }
      },
      text(text) {
        if (isLabel) label += text;
      },
      close(name) {
        if (name === 'a') addTitle();
        if (name === 'a' || name === 'navLabel') isLabel = false;
      },
    },
    { isDoctypeFine: true },
  );
  return titles;
}

import { posix } from 'node:path';
import { boundedMetadata } from '../metadata.js';
import { readXml } from '../office/read-xml.js';

export interface BookPackage {
  title: string | null;
  metadata: Record<string, unknown>;
  /** Paths of the chapters in reading order. */
  spine: string[];
  /** Paths of the table of contents: that of EPUB 3, and that of EPUB 2. */
  navigation: string | null;
  ncx: string | null;
}

/** Dublin Core elements and what they are called in metadata. */
const fieldByElement: Record<string, string | undefined> = {
  creator: 'author',
  language: 'language',
  publisher: 'publisher',
  date: 'date',
  identifier: 'identifier',
  subject: 'subject',
  description: 'description',
  rights: 'rights',
};

/** @param folder that its paths count from */
export function readBookPackage(bytes: Uint8Array, folder: string): BookPackage {
  const values = new Map<string, string[]>();
  const pathById = new Map<string, string>();
  const order: string[] = [];
  let navigation: string | null = null;
  let ncx: string | null = null;
  let open: string[] | null = null;
  readXml(
    bytes,
    {
      open(name, attributes) {
        const { id, href, idref } = attributes;
        open = null;
        if (name === 'title' || fieldByElement[name]) {
          open = values.get(name) ?? [];
          open.push('');
          values.set(name, open);
        } else if (name === 'item' && id && href) {
          const path = pathOf(folder, href);
          pathById.set(id, path);
          if (attributes['properties']?.split(/\s+/).includes('nav')) navigation = path;
          if (attributes['media-type'] === 'application/x-dtbncx+xml') ncx = path;
        } else if (name === 'itemref' && idref) {
          order.push(idref);
        }
      },
      text(text) {
        if (open) open[open.length - 1] += text;
      },
      close() {
        open = null;
      },
    },
    { isDoctypeFine: true },
  );
  const { title, ...fields } = Object.fromEntries(
    Array.from(values, ([name, found]) => [
      fieldByElement[name] ?? name,
      found.length > 1 ? found : found[0],
    ]),
  );
  return {
    title: (Array.isArray(title) ? title[0] : title)?.replaceAll(/\s+/g, ' ').trim() || null,
    metadata: boundedMetadata(fields),
    spine: order.flatMap((id) => pathById.get(id) ?? []),
    navigation,
    ncx,
  };
}

/** Of a reference without its fragment, in a file that lies in the folder. */
export function pathOf(folder: string, href: string): string {
  const bare = href.split('#', 1)[0]!;
  return posix.join(folder, decoded(bare)).replace(/^\/+/, '');
}

function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

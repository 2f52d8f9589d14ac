import { boundedMetadata } from '../metadata.js';
import type { OfficePackage } from './office-package.js';
import { readXml } from './read-xml.js';

const fieldByElement: Record<string, string | undefined> = {
  creator: 'author',
  lastModifiedBy: 'last_modified_by',
  created: 'created',
  modified: 'modified',
  subject: 'subject',
  description: 'description',
  keywords: 'keywords',
  category: 'category',
  language: 'language',
};

/** What `docProps/core.xml` says about a document. */
export async function coreProperties(
  document: OfficePackage,
): Promise<{ title: string | null; metadata: Record<string, unknown> }> {
  const bytes = await document.read('docProps/core.xml');
  const values = new Map<string, string>();
  let element = '';
  if (bytes) {
    readXml(bytes, {
      open: (name) => (element = name),
      close: () => (element = ''),
      text: (text) => values.set(element, (values.get(element) ?? '') + text),
    });
  }
  const metadata: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fieldByElement)) if (field) metadata[field] = values.get(name);
  return { title: values.get('title')?.trim() || null, metadata: boundedMetadata(metadata) };
}

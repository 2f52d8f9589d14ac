import type { getDocumentProxy } from 'unpdf';
import { cleanText } from '../decode-text.js';

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type OutlineNode = Awaited<ReturnType<Pdf['getOutline']>>[number];

export interface Bookmark {
  title: string;
  /** From 1. */
  level: number;
  /** From 1. */
  page: number;
}

const BOOKMARKS_MAX = 5_000;
const LEVELS_MAX = 6;
const TITLE_CHARACTERS_MAX = 300;

/** The outline that a viewer shows beside the pages, in its order. What points nowhere is left out. */
export async function readBookmarks(pdf: Pdf): Promise<Bookmark[]> {
  const bookmarks: Bookmark[] = [];
  const add = async (nodes: readonly OutlineNode[], level: number): Promise<void> => {
    for (const { title, dest, items } of nodes) {
      if (bookmarks.length >= BOOKMARKS_MAX) return;
      const words = cleanText(title).replaceAll(/\s+/g, ' ').trim().slice(0, TITLE_CHARACTERS_MAX);
      const page = words === '' ? null : await pageOf(pdf, dest);
      if (page !== null) bookmarks.push({ title: words, level, page });
      if (level < LEVELS_MAX) await add((items ?? []) as OutlineNode[], level + 1);
    }
  };
  // A broken outline is no reason to refuse the pages.
  const outline = await pdf.getOutline().catch(() => null);
  await add(outline ?? [], 1);
  return bookmarks;
}

async function pageOf(pdf: Pdf, destination: OutlineNode['dest']): Promise<number | null> {
  try {
    const target = typeof destination === 'string' ? await pdf.getDestination(destination) : destination;
    const page: unknown = target?.[0];
    const index = typeof page === 'number' ? page : await pdf.getPageIndex(page as never);
    return index >= 0 && index < pdf.numPages ? index + 1 : null;
  } catch {
    return null;
  }
}

export interface ChunkDraft {
  /** From 0, in document order. */
  ordinal: number;
  /** `document.text.slice(start, end)` */
  text: string;
  start: number;
  end: number;
  /** The headings it stands below, outermost first; in source code the definitions it is part of. */
  headingPath: string[];
  /** Where it begins; a form feed in the text starts the next page. */
  page: number | null;
  tokenCount: number;
  /**
   * With `parent-child` the number of its parent in the document, from 0; null otherwise. The children of a parent are
   * consecutive: the parent is the text from the start of its first to the end of its last.
   */
  group: number | null;
}

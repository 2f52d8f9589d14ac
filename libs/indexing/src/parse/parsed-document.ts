/** What a document says, in one text that every later character span points into. */
export interface ParsedDocument {
  /** The extracted text: Markdown for rich formats, LF line ends, no NUL, no lone surrogates. */
  text: string;
  /** As the document itself gives it; null where it gives none. */
  title: string | null;
  /** In order, without overlap; what is between them is white space, front matter or markup. */
  blocks: Block[];
  /** Null for formats without pages. */
  pageCount: number | null;
  /** JSON values that the document says about itself, at most 16 kB of them; `{}` where it says nothing. */
  metadata: Record<string, unknown>;
}

export interface Block {
  /** A record is one row or element of data as text; a definition is a function or class of source code. */
  kind: 'heading' | 'paragraph' | 'list' | 'table' | 'code' | 'record' | 'definition';
  /** 1 to 6, for headings. */
  level?: number;
  /** UTF-16 offset into the text. */
  start: number;
  /** Exclusive. */
  end: number;
  /** 1-based, for formats with pages; of a presentation the slide, of a workbook the sheet. */
  page?: number;
}

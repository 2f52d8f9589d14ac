/** Offsets in UTF-16 code units into one text; `end` is exclusive, so `text.slice(start, end)` is the span. */
export interface TextSpan {
  start: number;
  end: number;
}

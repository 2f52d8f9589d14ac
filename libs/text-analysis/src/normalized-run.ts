/** A run in NFKC with, for each of its UTF-16 units and for its end, the offset in the run it was made from. */
export interface NormalizedRun {
  text: string;
  offsets: readonly number[] | null;
}

// A character and what composes with it: combining marks and the half-width voiced sound marks.
const composingUnits = /[^][\p{M}\uff9e\uff9f]*/gu;

/** NFKC that keeps the way back; `offsets` is null where the text is in NFKC already. */
export function normalizeRun(run: string): NormalizedRun {
  if (run.normalize('NFKC') === run) return { text: run, offsets: null };
  const offsets: number[] = [];
  let text = '';
  for (const { 0: unit, index } of run.matchAll(composingUnits)) {
    const normalized = unit.normalize('NFKC');
    for (let count = 0; count < normalized.length; count += 1) offsets.push(index);
    text += normalized;
  }
  offsets.push(run.length);
  return { text, offsets };
}

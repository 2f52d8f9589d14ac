/** One measure's part of bench/RESULTS.md. */
export interface Section {
  title: string;
  /** Markdown below the title. */
  body: string;
}

export type Cell = string | number;

export function table(head: string[], rows: Cell[][]): string {
  const line = (cells: Cell[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Three digits that matter. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return 'n/a';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.001))));
  return value.toFixed(Math.min(digits, 3));
}

export function times(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)} x` : 'n/a';
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function megabytes(bytes: number): string {
  return `${shown(bytes / 1_048_576)} MB`;
}

export function goal(text: string, met: boolean): string {
  return `Goal: ${text}. **${met ? 'Met' : 'Missed'}.**`;
}

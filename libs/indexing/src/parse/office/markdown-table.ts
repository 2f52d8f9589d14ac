/** Rows of cells as a table in Markdown, the first row its header; empty for no rows. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const width = Math.max(0, ...rows.map((row) => row.length));
  const [header, ...body] = rows.map((row) =>
    line(Array.from({ length: width }, (_, index) => row[index] ?? '')),
  );
  if (header === undefined || width === 0) return '';
  return [header, line(Array.from({ length: width }, () => '---')), ...body].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll(/\s+/g, ' ').trim().replaceAll('|', '\\|')).join(' | ')} |`;
}

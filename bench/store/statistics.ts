export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share in [0, 1] */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Share of the true neighbours that were found, over all questions, in [0, 1]. */
export function recall(found: readonly (readonly string[])[], truth: readonly (readonly string[])[]): number {
  let hits = 0;
  let wanted = 0;
  for (const [index, ids] of truth.entries()) {
    const returned = new Set(found[index]);
    wanted += ids.length;
    hits += ids.filter((id) => returned.has(id)).length;
  }
  return wanted === 0 ? 1 : hits / wanted;
}

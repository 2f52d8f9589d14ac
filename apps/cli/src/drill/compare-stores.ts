/** Tables whose rows the backup does not have as the original had them, before it was made or after. */
export function differingTables(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  restored: ReadonlyMap<string, number>,
): string[] {
  const names = [...new Set([...before.keys(), ...restored.keys()])];
  return names.flatMap((name) => {
    const counts = [before.get(name) ?? 0, after.get(name) ?? 0];
    const count = restored.get(name) ?? 0;
    if (count >= Math.min(...counts) && count <= Math.max(...counts)) return [];
    return [`${name}: ${counts[0] === counts[1] ? counts[0] : counts.join(' to ')}, restored ${count}`];
  });
}

/** Mean share of the ones that are among the others, in [0, 1]. What finds nothing in both agrees. */
export function agreement(original: readonly string[][], restored: readonly string[][]): number {
  if (original.length === 0) return 1;
  const shares = original.map((wanted, index) => {
    const found = new Set(restored[index]);
    const most = Math.max(wanted.length, found.size);
    return most === 0 ? 1 : wanted.filter((source) => found.has(source)).length / most;
  });
  return shares.reduce((sum, value) => sum + value, 0) / shares.length;
}

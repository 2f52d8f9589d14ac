/** Values of a label that outsiders choose, such as a model's name: the first so many by their names, the rest together. */
export class BoundedLabel {
  private readonly known = new Set<string>();

  constructor(private readonly valuesMax: number) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.valuesMax) return 'other';
    this.known.add(value);
    return value;
  }
}

/** Shared, so that a model has one name everywhere. */
export const modelLabel = new BoundedLabel(100);

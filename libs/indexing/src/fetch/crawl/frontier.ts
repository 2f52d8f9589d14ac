export interface FrontierEntry {
  url: string;
  /** Links from the start. */
  depth: number;
  attempts: number;
}

/** The pages still to be asked for, nearest to the start first; each URL once. */
export class Frontier {
  private readonly known = new Set<string>();
  private readonly visited = new Set<string>();
  private entries: FrontierEntry[] = [];
  private next = 0;

  /** @param urlsMax bounds what it remembers, on sites that make up addresses without end */
  constructor(private readonly urlsMax: number) {}

  add(url: string, depth: number): void {
    if (this.known.has(url) || this.known.size >= this.urlsMax) return;
    this.known.add(url);
    this.entries.push({ url, depth, attempts: 0 });
  }

  /** After the others. */
  addAgain(entry: FrontierEntry): void {
    this.entries.push(entry);
  }

  take(): FrontierEntry | null {
    while (this.next < this.entries.length) {
      const entry = this.entries[this.next]!;
      this.next += 1;
      if (!this.visited.has(entry.url)) return { ...entry, attempts: entry.attempts + 1 };
    }
    return null;
  }

  /** Also for where a redirect led to. */
  markVisited(url: string): void {
    this.visited.add(url);
  }

  wasVisited(url: string): boolean {
    return this.visited.has(url);
  }
}

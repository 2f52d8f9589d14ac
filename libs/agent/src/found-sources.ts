import { markSources, newSourceTag } from '#libs/query';
import type { Source } from '#libs/retrieval';

/** What the tools have found for one answer, numbered from 1 in the order in which it was found. */
export class FoundSources {
  readonly all: Source[] = [];
  private readonly tag = newSourceTag();
  private readonly numbers = new Map<string, number>();

  /** A source that was found before keeps its number. */
  add(sources: readonly Source[]): number[] {
    return sources.map((source) => {
      const key = `${source.documentId}:${source.start}:${source.end}`;
      const number = this.numbers.get(key) ?? this.all.push(source);
      this.numbers.set(key, number);
      return number;
    });
  }

  has(documentId: string): boolean {
    return this.all.some((source) => source.documentId === documentId);
  }

  /** As the model reads them, with the ids that get_document takes. */
  show(numbers: readonly number[]): string {
    return numbers
      .map((number) => {
        const source = this.all[number - 1]!;
        return `document_id of source ${number}: ${source.documentId}\n${markSources([source], number, this.tag)}`;
      })
      .join('\n\n');
  }
}

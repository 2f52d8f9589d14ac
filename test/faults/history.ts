/** What a client did to one document, or saw of it. Times are of one clock. */
export type Operation =
  /** The answer 202. The revisions of a document grow. */
  | { kind: 'submit'; document: string; revision: number }
  /** The answer 204: there is nothing to be found from then on. */
  | { kind: 'delete'; document: string }
  /** The job was seen `ready`. */
  | { kind: 'ready'; document: string; revision: number }
  | { kind: 'search'; document: string }
  /** After everything has come to rest. */
  | { kind: 'final'; document: string };

/** `ok`: it happened. `fail`: it did not. `info`: nobody knows, the answer was lost. */
export type Outcome = 'ok' | 'fail' | 'info';

interface Entry {
  operation: Operation;
  startedAt: number;
  /** Infinity while the outcome is not known. */
  endedAt: number;
  outcome: Outcome;
  /** Of a search or of the final state: the revisions whose text was there; none: not found. */
  found: readonly number[];
}

/** A log of invocations and their ends, as Jepsen keeps it (https://jepsen.io), and the judgement of it. */
export class History {
  private readonly entries: Entry[] = [];
  private clock = 0;

  /** Logical time suffices: the order of events in this process. */
  invoke(operation: Operation): (outcome: Outcome, found?: readonly number[]) => void {
    const entry: Entry = {
      operation,
      startedAt: (this.clock += 1),
      endedAt: Number.POSITIVE_INFINITY,
      outcome: 'info',
      found: [],
    };
    this.entries.push(entry);
    return (outcome, found = []) => {
      entry.outcome = outcome;
      entry.found = found;
      if (outcome !== 'info') entry.endedAt = this.clock += 1;
    };
  }

  count(kind: Operation['kind'], outcome: Outcome = 'ok'): number {
    return this.entries.filter((entry) => entry.operation.kind === kind && entry.outcome === outcome).length;
  }

  /** What must not have happened, in words; empty: the history is as it should be. */
  violations(): string[] {
    const byDocument = Map.groupBy(this.entries, ({ operation }) => operation.document);
    return [...byDocument].flatMap(([document, entries]) =>
      violationsOf(entries).map((violation) => `${document}: ${violation}`),
    );
  }
}

function violationsOf(all: Entry[]): string[] {
  const entries = all.filter(({ outcome }) => outcome !== 'fail');
  const writes = entries.filter(({ operation: { kind } }) => kind === 'submit' || kind === 'delete');
  const seen = entries.filter(
    ({ operation: { kind }, outcome }) => (kind === 'search' || kind === 'final') && outcome === 'ok',
  );
  return seen.flatMap((view) => {
    const [revision = null, ...others] = view.found;
    if (others.length > 0)
      return [`${view.operation.kind} saw revisions ${view.found.join(' and ')} at once`];
    const problem =
      view.operation.kind === 'final'
        ? finalProblem(revision, writes)
        : searchProblem(view, revision, entries, writes);
    return problem ?? [];
  });
}

/** The last write that was acknowledged stands, or one that may have come after it. */
function finalProblem(revision: number | null, writes: Entry[]): string | null {
  const candidates = writes.filter((write) => resultOf(write) === revision);
  const isPossible = (write: Entry) =>
    !writes.some((later) => later.outcome === 'ok' && isBefore(write, later));
  if (candidates.some(isPossible)) return null;
  if (revision === null && !writes.some(({ outcome }) => outcome === 'ok')) return null;
  return revision === null
    ? 'an acknowledged document is lost'
    : `revision ${revision} is left although a later write was acknowledged`;
}

function searchProblem(
  view: Entry,
  revision: number | null,
  entries: Entry[],
  writes: Entry[],
): string | null {
  const deletes = writes.filter(({ operation }) => operation.kind === 'delete');
  if (revision === null) {
    const known = entries.find(
      (entry) =>
        showsRevision(entry) &&
        isBefore(entry, view) &&
        !deletes.some((deleted) => !isBefore(deleted, entry) && !isBefore(view, deleted)),
    );
    return known ? 'a search found nothing although a revision was searchable and none was deleted' : null;
  }
  const submits = writes.filter((write) => resultOf(write) === revision);
  if (!submits.some((submit) => !isBefore(view, submit)))
    return `a search saw revision ${revision} of nobody`;
  const isGone = deletes.some(
    (deleted) =>
      deleted.outcome === 'ok' &&
      isBefore(deleted, view) &&
      submits.every((submit) => isBefore(submit, deleted)),
  );
  if (isGone) return `a search saw revision ${revision} after it was deleted`;
  const newer = entries.find(
    (entry) => showsRevision(entry) && isBefore(entry, view) && revisionSeen(entry) > revision,
  );
  return newer ? `a search saw revision ${revision} after revision ${revisionSeen(newer)}` : null;
}

function showsRevision({ operation, outcome, found }: Entry): boolean {
  return (
    outcome === 'ok' && (operation.kind === 'ready' || (operation.kind === 'search' && found.length === 1))
  );
}

function revisionSeen({ operation, found }: Entry): number {
  return operation.kind === 'ready' ? operation.revision : found[0]!;
}

function resultOf({ operation }: Entry): number | null {
  return operation.kind === 'submit' ? operation.revision : null;
}

function isBefore(first: Entry, second: Entry): boolean {
  return first.endedAt < second.startedAt;
}

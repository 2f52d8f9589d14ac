import { describe, expect, it } from 'vitest';
import { History, type Operation } from './history.js';

const document = 'a';
const submit = (revision: number): Operation => ({ kind: 'submit', document, revision });
const ready = (revision: number): Operation => ({ kind: 'ready', document, revision });
const search: Operation = { kind: 'search', document };
const final: Operation = { kind: 'final', document };
const remove: Operation = { kind: 'delete', document };

/** One after the other; a search or final state with what it found. */
function historyOf(...steps: [Operation, ...number[]][]): History {
  const history = new History();
  for (const [operation, ...found] of steps) history.invoke(operation)('ok', found);
  return history;
}

describe('History', () => {
  it('accepts what a correct service does', () => {
    const history = historyOf(
      [search],
      [submit(0)],
      [ready(0)],
      [search, 0],
      [submit(1)],
      [search, 0],
      [search, 1],
      [remove],
      [search],
      [submit(2)],
      [search],
      [final, 2],
    );
    expect(history.violations()).toEqual([]);
  });

  it.each([
    ['an acknowledged document that is lost', [[submit(0)], [final]], 'lost'],
    ['an acknowledged change that is lost', [[submit(0)], [submit(1)], [final, 0]], 'later write'],
    ['a deleted document that is back', [[submit(0)], [remove], [final, 0]], 'later write'],
    [
      'a deleted document that is found',
      [[submit(0)], [ready(0)], [remove], [search, 0]],
      'after it was deleted',
    ],
    ['two versions in one answer', [[submit(0)], [submit(1)], [search, 0, 1]], 'at once'],
    ['a moment without the old answer', [[submit(0)], [ready(0)], [submit(1)], [search]], 'found nothing'],
    ['an answer that comes and goes', [[submit(0)], [search, 0], [search]], 'found nothing'],
    [
      'an old answer after the new one',
      [[submit(0)], [submit(1)], [search, 1], [search, 0]],
      'after revision 1',
    ],
    ['an answer from nowhere', [[search, 0], [submit(0)]], 'of nobody'],
  ] satisfies [string, [Operation, ...number[]][], string][])('sees %s', (_name, steps, violation) => {
    const violations = historyOf(...steps).violations();
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(violation);
  });

  it('takes an operation without an answer as one that may have happened, at any time', () => {
    for (const found of [[0], [1]]) {
      const history = historyOf([submit(0)], [ready(0)]);
      history.invoke(submit(1))('info');
      history.invoke(final)('ok', found);
      expect(history.violations()).toEqual([]);
    }
    const deleting = historyOf([submit(0)], [ready(0)]);
    deleting.invoke(remove)('info');
    deleting.invoke(search)('ok', []);
    deleting.invoke(final)('ok', []);
    expect(deleting.violations()).toEqual([]);
  });

  it('does not count what was refused', () => {
    const history = historyOf([submit(0)]);
    history.invoke(submit(1))('fail');
    history.invoke(final)('ok', [1]);
    expect(history.violations()).toHaveLength(1);
  });

  it('lets a search that runs beside a write see either side of it', () => {
    for (const found of [[0], [1]]) {
      const history = historyOf([submit(0)], [ready(0)]);
      const endSearch = history.invoke(search);
      history.invoke(submit(1))('ok');
      history.invoke(ready(1))('ok');
      endSearch('ok', found);
      expect(history.violations()).toEqual([]);
    }
    const history = historyOf([submit(0)], [ready(0)]);
    const endSearch = history.invoke(search);
    history.invoke(remove)('ok');
    endSearch('ok', [0]);
    expect(history.violations()).toEqual([]);
  });
});

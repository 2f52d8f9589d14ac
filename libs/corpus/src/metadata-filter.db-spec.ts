import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/engines.js';
import { compileFilter, type MetadataFilter } from './metadata-filter.js';

/** One document a letter. */
const documents: Record<string, Record<string, unknown>> = {
  a: { lang: 'en', year: 2020, tags: ['hr', 'legal'], author: { name: 'Ada' }, public: true },
  b: { lang: 'en', year: 2023.5, tags: [], author: { name: 'Bob' }, public: false },
  c: { lang: 'zh', year: '2020', tags: 'hr', note: null },
  d: { lang: 'de', year: -3, score: 1e21, date: '2024-03-01' },
  e: {},
};

const cases: [string, MetadataFilter, string][] = [
  ['an empty filter keeps all', {}, 'abcde'],
  ['a plain value means equal', { lang: 'en' }, 'ab'],
  ['fields beside each other must all hold', { lang: 'en', public: true }, 'a'],
  ['$eq keeps the type: a number is not its text', { year: { $eq: 2020 } }, 'a'],
  ['$eq of text', { year: '2020' }, 'c'],
  ['$eq of a list means one of its elements', { tags: 'hr' }, 'ac'],
  ['$eq null finds null, not what is missing', { note: null }, 'c'],
  ['$ne keeps documents without the field', { lang: { $ne: 'en' } }, 'cde'],
  ['$ne of a list means none of its elements', { tags: { $ne: 'hr' } }, 'bde'],
  ['$gt compares numbers with numbers', { year: { $gt: 2000 } }, 'ab'],
  ['$gte and $lt make a range', { year: { $gte: 2020, $lt: 2023 } }, 'a'],
  ['$lte takes negative numbers and fractions', { year: { $lte: 2023.5 } }, 'abd'],
  ['$lt compares text with text, so that dates sort', { date: { $lt: '2024-04' } }, 'd'],
  ['$gt of text leaves numbers alone', { year: { $gt: '1' } }, 'c'],
  ['large numbers are exact', { score: 1e21 }, 'd'],
  ['$in', { lang: { $in: ['zh', 'de', 'fr'] } }, 'cd'],
  ['$in of mixed types', { year: { $in: [2020, '2020', null] } }, 'ac'],
  ['$in of a list field', { tags: { $in: ['legal', 'x'] } }, 'a'],
  ['$in of nothing keeps nothing', { lang: { $in: [] } }, ''],
  ['$nin keeps documents without the field', { lang: { $nin: ['en', 'zh'] } }, 'de'],
  ['$exists true, also for null', { note: { $exists: true } }, 'c'],
  ['$exists false', { tags: { $exists: false } }, 'de'],
  ['$contains an element of a list', { tags: { $contains: 'legal' } }, 'a'],
  ['$contains a part of a text', { tags: { $contains: 'h' } }, 'c'],
  ['a dot leads into an object', { 'author.name': 'Ada' }, 'a'],
  ['$and', { $and: [{ lang: 'en' }, { year: { $lt: 2021 } }] }, 'a'],
  ['$or', { $or: [{ lang: 'zh' }, { year: -3 }] }, 'cd'],
  ['$not of a filter is its exact opposite', { $not: { year: { $gt: 0 } } }, 'cde'],
  ['$not inside a field', { year: { $not: { $gt: 0 } } }, 'cde'],
  ['deep nesting', { $or: [{ $and: [{ lang: 'en' }, { $not: { public: true } }] }, { lang: 'de' }] }, 'bd'],
  ['quotes and operators in values are values', { lang: `en' or '1'='1` }, ''],
  ['quotes in names are names', { "lang' is not null or '": { $exists: false } }, 'abcde'],
  ['braces and commas in names are names', { 'a{b},c"': { $exists: true } }, ''],
];

describeOnEachEngine('compileFilter', (open) => {
  it.each(cases)('%s', async (_name, filter, expected) => {
    const compiled = compileFilter(filter, 2);
    const rows = await open().query<{ name: string }>({
      text: `
        select d.key as name from jsonb_each($1::jsonb) as documents (key, value),
        lateral (select documents.key, documents.value as metadata) d
        where ${compiled.text}
        order by 1`,
      values: [JSON.stringify(documents), ...compiled.values],
    });
    expect(rows.map(({ name }) => name).join('')).toBe(expected);
  });

  it.each<[string, MetadataFilter, string]>([
    ['an operator that does not exist', { year: { $near: 3 } }, 'filters.year.$near is not an operator'],
    ['an operator in the wrong place', { $gt: 3 }, 'filters.$gt is not an operator here'],
    ['a list where a value belongs', { year: [1, 2] }, 'filters.year must be a text'],
    ['an object as value', { year: { $eq: { a: 1 } } }, 'filters.year.$eq must be a text'],
    ['no operator at all', { year: {} }, 'filters.year needs a value or an operator'],
    ['$in without a list', { year: { $in: 3 } }, 'filters.year.$in must be a list'],
    ['$gt of a truth value', { year: { $gt: true } }, 'filters.year.$gt must be a number or a text'],
    ['$exists of a number', { year: { $exists: 1 } }, 'filters.year.$exists must be true or false'],
    ['an empty $or', { $or: [] }, 'filters.$or must be a list of filters'],
    ['a $or of values', { $or: [3] }, 'filters.$or[0] must be an object'],
    ['a NUL in a value', { lang: 'a\0b' }, 'filters.lang must be a text'],
    ['a NUL in a name', { 'a\0b': 1 }, 'is not the name of a field'],
  ])('refuses %s', (_name, filter, message) => {
    expect(() => compileFilter(filter, 1)).toThrow(message);
  });

  it('refuses what is nested too deep or too long', () => {
    const deep = Array.from({ length: 12 }).reduce<MetadataFilter>((filter) => ({ $not: filter }), { a: 1 });
    expect(() => compileFilter(deep, 1)).toThrow('nested deeper');
    const long = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f${index}`, index]));
    expect(() => compileFilter(long, 1)).toThrow('more than 100');
  });
});

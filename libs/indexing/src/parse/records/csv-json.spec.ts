import { describe, expect, it } from 'vitest';
import { outline } from '../../../../../test/support/outline.js';
import type { SupportedMediaType } from '../media-types.js';
import { parseDocument } from '../parse-document.js';

const parse = (content: string, mediaType: SupportedMediaType) =>
  parseDocument({ bytes: Buffer.from(content), mediaType });
const csv = async (content: string) => outline(await parse(content, 'text/csv'));
const json = async (content: unknown) => outline(await parse(JSON.stringify(content), 'application/json'));

describe('CSV', () => {
  it('is a record for each row, which says what its values are', async () => {
    expect(await csv('pump,oil,note\nP-100,4 l,"says ""warm"", then\r\nstop"\nP-200,,\n')).toEqual([
      'record: pump: P-100\noil: 4 l\nnote: says "warm", then\nstop',
      'record: pump: P-200',
    ]);
  });

  it.each([
    ['a;b\n1,5;2\n3,5;4', 'record: a: 1,5\nb: 2'],
    ['a\tb\n1\t2\n3\t4', 'record: a: 1\nb: 2'],
    ['a|b\n1|2\n3|4', 'record: a: 1\nb: 2'],
    ['sep=;\na;b\n1;2', 'record: a: 1\nb: 2'],
    ['\ufeffa,b\r\n1,2\r\n', 'record: a: 1\nb: 2'],
  ])('finds the delimiter of %j', async (content, first) => {
    expect((await csv(content))[0]).toBe(first);
  });

  it('has numbered columns where the first row has no names, and for values beyond the header', async () => {
    expect(await csv('1,2\n3,4')).toEqual([
      'record: Column 1: 1\nColumn 2: 2',
      'record: Column 1: 3\nColumn 2: 4',
    ]);
    expect(await csv('a,b\n1,2,3')).toEqual(['record: a: 1\nb: 2\nColumn 3: 3']);
  });

  it('keeps what stands above the header, single columns, and a header alone', async () => {
    expect(await csv('Report of May\n\nname,value\nx,1')).toEqual([
      'paragraph: Report of May',
      'record: name: x\nvalue: 1',
    ]);
    expect(await csv('price\n1.5\n2.5')).toEqual(['record: price: 1.5', 'record: price: 2.5']);
    expect(await csv('red\ngreen\n')).toEqual(['record: red', 'record: green']);
    expect(await csv('name,value\n')).toEqual(['paragraph: name, value']);
  });

  it('reads on behind a quotation mark that is never closed', async () => {
    expect((await csv('a,b\n1,"open\n2,x')).join('\n')).toContain('open');
  });

  it('refuses 100,000 columns', async () => {
    const row = Array.from({ length: 100_000 }, (_, n) => `c${n}`).join(',');
    await expect(parse(`${row}\n${row}`, 'text/csv')).rejects.toMatchObject({ code: 'document_too_large' });
  });

  it('refuses rows that say more than memory holds once their header is written out', async () => {
    const header = Array.from({ length: 10_000 }, (_, n) => `${'column'.repeat(30)}${n}`).join(',');
    const rows = Array.from({ length: 100 }, () => '1,'.repeat(9_999) + '1').join('\n');
    await expect(parse(`${header}\n${rows}`, 'text/csv')).rejects.toMatchObject({
      code: 'document_too_large',
    });
  });
});

describe('JSON', () => {
  it('is a record for each element of a list', async () => {
    const people = [
      { name: 'Ada', born: 1815, address: { city: 'London', tags: ['a', 'b'] }, empty: '', nothing: null },
      { name: 'Alan', alive: false, papers: [{ year: 1936 }, { year: 1950 }] },
    ];
    expect(await json(people)).toEqual([
      'record: name: Ada\nborn: 1815\naddress.city: London\naddress.tags: a, b',
      'record: name: Alan\nalive: false\npapers.1.year: 1936\npapers.2.year: 1950',
    ]);
  });

  it('has the fields of an object, its objects, and its lists below headings', async () => {
    const value = { title: 'Pumps', owner: { name: 'Bo' }, pumps: [{ id: 1 }, { id: 2 }], sizes: [1, 2] };
    const document = await parse(JSON.stringify(value), 'application/json');
    expect(document.title).toBe('Pumps');
    expect(outline(document)).toEqual([
      'record: title: Pumps\nsizes: 1, 2',
      'record: owner.name: Bo',
      'heading1: # pumps',
      'record: id: 1',
      'record: id: 2',
    ]);
  });

  it('reads single values, and names of the object prototype', async () => {
    expect(await json('just a text')).toEqual(['record: just a text']);
    expect(outline(await parse('{"__proto__": {"x": 1}, "constructor": 2}', 'application/json'))).toEqual([
      'record: constructor: 2',
      'record: __proto__.x: 1',
    ]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each([
    ['a broken file', '{"a": [1, 2', 'document_damaged'],
    ['lists 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000), 'document_too_large'],
    ['objects 100,000 deep', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000), 'document_too_large'],
    ['nothing', '{}', 'document_empty'],
  ])('says so for %s', async (_what, content, code) => {
    await expect(parse(content, 'application/json')).rejects.toMatchObject({ code });
  });

  it('does not count brackets in texts', async () => {
    expect(await json({ a: `${'['.repeat(1_000)}"\\` })).toEqual([`record: a: ${'['.repeat(1_000)}"\\`]);
  });
});

describe('JSONL', () => {
  it('is a record for each line', async () => {
    const document = await parse('{"a":1}\r\n\n{"a":2,"b":"x\\n\\ny"}\n', 'application/jsonl');
    expect(outline(document)).toEqual(['record: a: 1', 'record: a: 2\nb: x\ny']);
  });

  it('says which line is broken', async () => {
    await expect(parse('{"a":1}\n{"a":\n', 'application/jsonl')).rejects.toMatchObject({
      code: 'document_damaged',
      message: expect.stringContaining('Line 2'),
    });
  });
});

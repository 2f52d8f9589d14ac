import { describe, expect, it } from 'vitest';
import { lexicalQuery } from './lexical-query.js';

describe('lexicalQuery', () => {
  it('has each word once, whatever its case and the marks around it', () => {
    expect(lexicalQuery('Fraud? Who committed (fraud), and why fraud!')).toBe('Fraud Who committed and why');
  });

  it('keeps marks inside a word', () => {
    expect(lexicalQuery("What does don't, v3.5.1 and max_wal_size mean?")).toBe(
      "What does don't v3.5.1 and max_wal_size mean",
    );
  });

  it('segments scripts without spaces, each word and pair once', () => {
    expect(lexicalQuery('数据库数据库').split(' ').sort()).toEqual(['库', '库数', '据库', '数据']);
  });

  it('is empty for marks alone', () => {
    expect(lexicalQuery('?! -- ""')).toBe('');
  });
});

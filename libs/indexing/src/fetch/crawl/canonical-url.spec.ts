import { describe, expect, it } from 'vitest';
import { canonicalUrl, siteOf } from './canonical-url.js';

describe('canonicalUrl', () => {
  it.each([
    ['HTTP://Example.COM:80', 'http://example.com/'],
    ['https://example.com.:443/a#part', 'https://example.com/a'],
    ['https://example.com/a/../b/./c', 'https://example.com/b/c'],
    ['https://example.com/%7euser/%e6%89%8b?q=%2f%41', 'https://example.com/~user/%E6%89%8B?q=%2FA'],
    ['https://example.com/a?', 'https://example.com/a'],
    ['https://example.com/a?utm_source=x&id=7&fbclid=y&&UTM_Medium=z', 'https://example.com/a?id=7'],
    ['https://example.com/a?gclid=1', 'https://example.com/a'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalUrl(new URL(text))).toBe(canonical);
    expect(canonicalUrl(new URL(canonical)), 'stays').toBe(canonical);
  });

  it.each([
    'https://example.com/a?b=1&a=2',
    'https://example.com/a/',
    'https://example.com//a',
    'https://example.com/a?x=a+b%20c',
    'https://example.com/A?gclidx=1',
  ])('leaves alone what may mean another page: %s', (text) => expect(canonicalUrl(new URL(text))).toBe(text));

  it('takes http and https of one host for one site, and other ports for others', () => {
    expect(siteOf(new URL('http://a.test/'))).toBe(siteOf(new URL('https://a.test./')));
    expect(siteOf(new URL('http://a.test:8080/'))).not.toBe(siteOf(new URL('http://a.test/')));
    expect(siteOf(new URL('http://www.a.test/'))).not.toBe(siteOf(new URL('http://a.test/')));
  });
});

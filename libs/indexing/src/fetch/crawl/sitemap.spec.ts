import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseSitemap } from './sitemap.js';

const parse = (text: string | Buffer, locationsMax = 100) => parseSitemap(Buffer.from(text), locationsMax);
const urlset = (body: string) =>
  `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${body}</urlset>`;

describe('parseSitemap', () => {
  it('reads the pages, and not their pictures', async () => {
    const text = urlset(`
      <url><loc> https://a.test/?a=1&amp;b=2 </loc><image:image><image:loc>https://a.test/x.png</image:loc></image:image></url>
      <url><loc><![CDATA[https://a.test/二]]></loc><lastmod>2026-11-21</lastmod></url><url><loc/></url>`);
    const expected = { kind: 'urls', locations: ['https://a.test/?a=1&b=2', 'https://a.test/二'] };
    expect(await parse(text)).toEqual(expected);
    expect(await parse(gzipSync(text))).toEqual(expected);
    expect(await parse(`\uFEFF${text}`)).toEqual(expected);
  });

  it('tells an index from the pages', async () => {
    const text = '<sitemapindex><sitemap><loc>https://a.test/1.xml</loc></sitemap></sitemapindex>';
    expect(await parse(text)).toEqual({ kind: 'index', locations: ['https://a.test/1.xml'] });
  });

  it('reads a text with a url a line', async () => {
    expect(await parse('https://a.test/1\r\nhttps://a.test/2\n\nnonsense\n')).toEqual({
      kind: 'urls',
      locations: ['https://a.test/1', 'https://a.test/2'],
    });
  });

  it.each(['', '<html><body>not here</body></html>', '{}', 'plain'])('finds none in %j', async (text) => {
    expect(await parse(text)).toBeNull();
  });

  it('stops at the bound, in files of any size', async () => {
    const many = urlset('<url><loc>https://a.test/1</loc></url>'.repeat(100_000));
    expect((await parse(many, 500))!.locations).toHaveLength(500);
    const cut = many.slice(0, 300_000);
    expect((await parse(cut, 100_000))!.locations.length).toBeGreaterThan(1_000);
  });

  it('resolves no entities of its own making and does not keep a location without end', async () => {
    const laughs = `<!DOCTYPE urlset [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>${urlset('<url><loc>https://a.test/&b;&x;</loc></url>')}`;
    expect((await parse(laughs))!.locations).toEqual(['https://a.test/&b;&x;']);
    expect(
      (await parse(urlset(`<url><loc>https://a.test/${'x'.repeat(1_000_000)}</loc></url>`)))!.locations,
    ).toEqual([]);
  });

  it('refuses what decompresses to more than a sitemap may have', async () => {
    const bomb = gzipSync(Buffer.alloc(60 * 1024 * 1024, ' '));
    await expect(parse(bomb)).rejects.toMatchObject({ code: 'url_response_invalid' });
    await expect(parse(gzipSync('x'.repeat(1_000)).subarray(0, 20))).rejects.toMatchObject({
      code: 'url_response_invalid',
    });
  });
});

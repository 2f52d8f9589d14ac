import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PageHandler, PageServer, redirectTo } from '../../../../test/support/page-server.js';
import { PageFetcher } from './page-fetcher.js';
import { userAgent } from './user-agent.js';

const options = { bytesMax: 1_000_000, timeoutMs: 20_000, userAgent: userAgent('ops@example.com') };

let site: PageServer;
let fetcher: PageFetcher;
beforeAll(async () => {
  site = await PageServer.start();
  fetcher = new PageFetcher({ ...options, allowNetworks: ['127.0.0.1/32'] });
});
afterAll(async () => {
  await fetcher.close();
  await site.close();
});
beforeEach(() => {
  site.requests.length = 0;
  for (const path of Object.keys(site.pages)) delete site.pages[path];
});

const answer =
  (headers: Record<string, string | string[]>, body: string | Buffer = 'x', status = 200): PageHandler =>
  (_request, response) =>
    response.writeHead(status, headers).end(body);

async function fetchPage(path: string, extra = {}) {
  const page = await fetcher.fetch({ url: site.url(path), ...extra });
  if (page.status !== 'fetched') throw new Error('not modified');
  return page;
}

describe('PageFetcher', () => {
  it('hands back the bytes and what the server says of them', async () => {
    const modified = 'Sat, 21 Nov 2026 08:00:00 GMT';
    site.pages['/guide'] = answer(
      {
        'content-type': 'Text/HTML; Charset="Shift_JIS"',
        etag: '"v1"',
        'last-modified': modified,
        'x-robots-tag': ['noindex', 'a: b'],
      },
      Buffer.from([0x82, 0xa0]),
    );
    expect(await fetchPage('/guide#part')).toEqual({
      status: 'fetched',
      bytes: Buffer.from([0x82, 0xa0]),
      mediaType: 'text/html',
      charset: 'shift_jis',
      finalUrl: site.url('/guide'),
      etag: '"v1"',
      lastModified: modified,
      filename: null,
      robotsTags: ['noindex', 'a: b'],
    });
  });

  it('says who it is, keeps no cookies and sends no more than it must', async () => {
    site.pages['/set'] = answer({ 'set-cookie': 'session=1' });
    await fetchPage('/set');
    await fetchPage('/set');
    const { headers } = site.requests[1]!;
    expect(headers['user-agent']).toMatch(/^Ragstone\/\d+\.\d+\.\d+ \(\+ops@example\.com\)$/);
    expect(Object.keys(headers).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  it('goes past the proxy of the environment', async () => {
    const proxy = await PageServer.start();
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: proxy.url(), http_proxy: proxy.url(), NODE_USE_ENV_PROXY: '1' });
    const other = new PageFetcher({ ...options, allowNetworks: ['127.0.0.1/32'] });
    try {
      site.pages['/direct'] = 'direct';
      await other.fetch({ url: site.url('/direct') });
      expect(proxy.connectionCount).toBe(0);
    } finally {
      process.env = before;
      await other.close();
      await proxy.close();
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['deflate, gzip', (bytes: Buffer) => gzipSync(deflateSync(bytes))],
  ])('decompresses %s', async (encoding, compress) => {
    const text = 'one and two '.repeat(5_000);
    site.pages['/packed'] = answer({ 'content-encoding': encoding }, compress(Buffer.from(text)));
    expect((await fetchPage('/packed')).bytes.toString()).toBe(text);
  });

  it('takes an empty body that claims to be compressed', async () => {
    site.pages['/empty'] = answer({ 'content-encoding': 'gzip' }, '');
    expect((await fetchPage('/empty')).bytes).toHaveLength(0);
  });

  it.each([
    ['/manual.pdf', { 'content-type': 'application/pdf' }, 'manual.pdf'],
    ['/%E6%89%8B%E5%86%8C.pdf?x=1', { 'content-type': 'application/pdf' }, '手册.pdf'],
    ['/index.php', { 'content-type': 'text/html' }, null],
    ['/get', { 'content-disposition': 'attachment; filename="../../etc/a b.md"' }, 'a b.md'],
    ['/get', { 'content-disposition': `attachment; filename=x; filename*=UTF-8''%e2%82%ac.txt` }, '€.txt'],
    ['/get', { 'content-disposition': 'attachment; filename="C:\\\\x\\\\y.md"' }, 'y.md'],
    ['/broken%ZZ.txt', {}, 'broken%ZZ.txt'],
    ['/folder/', {}, null],
  ])('names the file of %s with %j', async (path, headers: Record<string, string>, name) => {
    site.pages[path] = answer(headers);
    expect((await fetchPage(path)).filename).toBe(name);
  });

  describe('redirects', () => {
    it.each([301, 302, 303, 307, 308])('follows %i, relative and absolute', async (status) => {
      site.pages['/a/start'] = redirectTo('../b/next', status);
      site.pages['/b/next'] = redirectTo(`//127.0.0.1:${site.port}/end#part`, status);
      site.pages['/end'] = 'here';
      const page = await fetchPage('/a/start');
      expect(page.finalUrl).toBe(site.url('/end'));
      expect(page.bytes.toString()).toBe('here');
    });

    it('follows five and no more', async () => {
      for (let hop = 0; hop < 7; hop += 1) site.pages[`/${hop}`] = redirectTo(`/${hop + 1}`);
      site.pages['/7'] = 'end';
      expect((await fetchPage('/2')).finalUrl).toBe(site.url('/7'));
      site.requests.length = 0;
      await expect(fetchPage('/1?token=secret')).rejects.toMatchObject({
        code: 'url_redirects',
        message: expect.not.stringContaining('secret'),
      });
      expect(site.paths()).toHaveLength(6);
    });

    it('asks before each', async () => {
      site.pages['/from'] = redirectTo('/to');
      const stop = new Error('not there');
      const onRedirect = (url: URL) => {
        expect(url.pathname).toBe('/to');
        throw stop;
      };
      await expect(fetchPage('/from', { onRedirect })).rejects.toBe(stop);
      expect(site.paths()).toEqual(['/from']);
    });
  });

  describe('what has not changed', () => {
    const conditional: PageHandler = ({ headers }, response) => {
      const isSame =
        headers['if-none-match'] === '"v1"' ||
        headers['if-modified-since'] === 'Sat, 21 Nov 2026 08:00:00 GMT';
      response.writeHead(isSame ? 304 : 200, { etag: '"v2"' }).end();
    };

    it('is not sent again, by its ETag or its date', async () => {
      site.pages['/page'] = conditional;
      const url = site.url('/page');
      for (const validators of [{ etag: '"v1"' }, { lastModified: 'Sat, 21 Nov 2026 08:00:00 GMT' }])
        expect(await fetcher.fetch({ url, ...validators })).toEqual({
          status: 'not_modified',
          finalUrl: url,
        });
      expect(await fetcher.fetch({ url, etag: '"v0"' })).toMatchObject({ status: 'fetched', etag: '"v2"' });
    });

    it('is the page that the redirect led to the last time, and no other', async () => {
      site.pages['/latest'] = redirectTo('/v2');
      site.pages['/v2'] = conditional;
      const request = { url: site.url('/latest'), etag: '"v1"' };
      expect(await fetcher.fetch({ ...request, validatorsUrl: site.url('/v1') })).toMatchObject({
        status: 'fetched',
      });
      expect(await fetcher.fetch(request)).toMatchObject({ status: 'fetched' });
      expect(await fetcher.fetch({ ...request, validatorsUrl: site.url('/v2') })).toMatchObject({
        status: 'not_modified',
      });
    });

    it('is not believed of a server that was not asked', async () => {
      site.pages['/page'] = answer({}, '', 304);
      await expect(fetchPage('/page')).rejects.toMatchObject({
        code: 'url_status',
        details: { status: 304 },
      });
    });

    it('keeps no validator that could not be sent back', async () => {
      site.pages['/page'] = answer({ etag: `"${'x'.repeat(2_000)}"`, 'last-modified': 'yesterday' });
      expect(await fetchPage('/page')).toMatchObject({ etag: null, lastModified: null });
    });
  });

  it.each([
    [400, false],
    [401, false],
    [403, false],
    [404, false],
    [408, true],
    [410, false],
    [425, true],
    [429, true],
    [500, true],
    [503, true],
  ])('says of status %i that another try may help: %s', async (status, retryable) => {
    site.pages['/page'] = answer({ 'retry-after': '7' }, 'x', status);
    await expect(fetchPage('/page')).rejects.toMatchObject({
      code: 'url_status',
      retryable,
      details: { status, ...(retryable && { retryAfterMs: 7_000 }) },
    });
  });

  it('reads Retry-After as a date, too, and waits a day at most', async () => {
    site.pages['/past'] = answer({ 'retry-after': 'Sat, 21 Nov 2020 08:00:00 GMT' }, 'x', 503);
    site.pages['/never'] = answer({ 'retry-after': '99999999999' }, 'x', 503);
    site.pages['/nonsense'] = answer({ 'retry-after': 'soon' }, 'x', 503);
    await expect(fetchPage('/past')).rejects.toMatchObject({ details: { retryAfterMs: 0 } });
    await expect(fetchPage('/never')).rejects.toMatchObject({ details: { retryAfterMs: 86_400_000 } });
    await expect(fetchPage('/nonsense')).rejects.toMatchObject({ details: { status: 503 } });
  });

  it('ends with the reason of the signal', async () => {
    site.pages['/slow'] = () => {};
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const fetching = fetcher.fetch({ url: site.url('/slow') }, controller.signal);
    controller.abort(reason);
    await expect(fetching).rejects.toBe(reason);
  });

  it('does not read what nobody wants', async () => {
    site.pages['/film'] = (_request, response) =>
      response.writeHead(200, { 'content-type': 'video/mp4' }).write('x');
    await expect(
      fetchPage('/film', { accepts: (type: string) => type === 'text/html' }),
    ).rejects.toMatchObject({
      code: 'unsupported_media_type',
    });
  });
});

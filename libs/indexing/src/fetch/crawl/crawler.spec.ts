import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PageHandler, PageServer, redirectTo } from '../../../../../test/support/page-server.js';
import { waitFor } from '../../../../../test/support/wait-for.js';
import { PageFetcher } from '../page-fetcher.js';
import { type CrawledPage, Crawler, type CrawlRequest } from './crawler.js';

let site: PageServer;
let elsewhere: PageServer;
let fetcher: PageFetcher;
beforeAll(async () => {
  site = await PageServer.start();
  elsewhere = await PageServer.start({ '/': 'elsewhere' });
  fetcher = new PageFetcher({
    bytesMax: 100_000,
    timeoutMs: 20_000,
    userAgent: 'Ragstone/test',
    allowNetworks: ['127.0.0.1/32'],
  });
});
afterAll(async () => {
  for (const each of [fetcher, site, elsewhere]) await each.close();
});
beforeEach(() => {
  for (const each of [site, elsewhere]) {
    each.requests.length = 0;
    each.connectionCount = 0;
  }
  for (const path of Object.keys(site.pages)) delete site.pages[path];
});

const linksTo = (...hrefs: string[]) => hrefs.map((href) => `<a href="${href}">${href}</a>`).join(' ');
const answer =
  (headers: Record<string, string>, body: string | Buffer = '', status = 200): PageHandler =>
  (_request, response) =>
    response.writeHead(status, headers).end(body);
const text = (body: string) => answer({ 'content-type': 'text/plain' }, body);
const xml = (body: string | Buffer) => answer({ 'content-type': 'application/xml' }, body);
const urlset = (...paths: string[]) =>
  `<urlset>${paths.map((path) => `<url><loc>${path.startsWith('/') ? site.url(path) : path}</loc></url>`).join('')}</urlset>`;

interface CrawlSettings extends Partial<CrawlRequest> {
  delayMs?: number;
  delayMaxMs?: number;
  signal?: AbortSignal;
  sleep?: (delayMs: number) => Promise<void>;
}

async function crawl({ delayMs = 0, delayMaxMs = 50, signal, sleep, ...request }: CrawlSettings = {}) {
  const crawler = new Crawler(fetcher, { delayMs, delayMaxMs, ...(sleep && { sleep }) });
  const whole: CrawlRequest = {
    start: site.url('/'),
    from: 'links',
    pagesMax: 100,
    depthMax: 10,
    ...request,
  };
  const pages: CrawledPage[] = [];
  for await (const page of crawler.crawl(whole, signal)) pages.push(page);
  return pages;
}

const pathsOf = (pages: CrawledPage[]) => pages.map(({ url }) => url.slice(site.url('').length));
/** Without robots.txt. */
const asked = () => site.paths().filter((path) => path !== '/robots.txt');

describe('a crawl by links', () => {
  it('hands out each page of the site once, the nearest first', async () => {
    site.pages['/'] = linksTo('/b/', 'a', '/#top', 'mailto:x@example.com', 'javascript:void 0', 'http://[');
    site.pages['/a'] = linksTo('/', '/b/#part', '/b/?utm_source=a', '/deep');
    site.pages['/b/'] = `<base href="/b/c/">${linksTo('d', '../../a')}`;
    site.pages['/b/c/d'] = linksTo('/deep');
    site.pages['/deep'] = linksTo('/a');
    const pages = await crawl();
    expect(pathsOf(pages)).toEqual(['/', '/b/', '/a', '/b/c/d', '/deep']);
    expect(pages.map(({ depth }) => depth)).toEqual([0, 1, 1, 2, 2]);
    expect(asked()).toEqual(['/', '/b/', '/a', '/b/c/d', '/deep']);
  });

  it('ends at the depth, and at the number of pages', async () => {
    for (let page = 0; page < 20; page += 1) site.pages[`/${page}`] = linksTo(`/${page + 1}`, `/x${page}`);
    site.pages['/'] = linksTo('/0');
    expect(pathsOf(await crawl({ depthMax: 0 }))).toEqual(['/']);
    expect(pathsOf((await crawl({ depthMax: 2 })).filter(({ status }) => status === 'fetched'))).toEqual([
      '/',
      '/0',
      '/1',
    ]);
    site.requests.length = 0;
    expect(await crawl({ pagesMax: 1 })).toHaveLength(1);
    expect(asked()).toEqual(['/']);
  });

  it('ends on a site that makes up pages without end, also when it hands none out', async () => {
    let next = 0;
    const endless =
      (head: string): PageHandler =>
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end(head + linksTo(...Array.from({ length: 50 }, () => `/endless?page=${(next += 1)}`)));
      };
    site.pages['/endless'] = endless('');
    expect(await crawl({ start: site.url('/endless'), pagesMax: 10, depthMax: 100 })).toHaveLength(10);
    site.pages['/endless'] = endless('<meta name=robots content=noindex>');
    site.requests.length = 0;
    expect(await crawl({ start: site.url('/endless'), pagesMax: 10, depthMax: 100 })).toHaveLength(0);
    expect(asked()).toHaveLength(30);
  });

  it('leaves the site neither by links nor by redirects', async () => {
    site.pages['/'] = linksTo(elsewhere.url('/'), '/out', 'http://127.0.0.1/', '/in');
    site.pages['/out'] = redirectTo(elsewhere.url('/'));
    site.pages['/in'] = 'in';
    expect(pathsOf(await crawl())).toEqual(['/', '/in']);
    expect(elsewhere.connectionCount).toBe(0);
  });

  it('takes the site that the start is redirected to for its own', async () => {
    elsewhere.pages['/start'] = redirectTo(site.url('/home'));
    site.pages['/home'] = linksTo('/a', elsewhere.url('/'));
    site.pages['/a'] = 'a';
    expect(pathsOf(await crawl({ start: elsewhere.url('/start') }))).toEqual(['/home', '/a']);
    expect(elsewhere.paths()).toEqual(['/robots.txt', '/start']);
  });

  it('hands out a page once, however many redirects lead to it', async () => {
    site.pages['/'] = linksTo('/old', '/older', '/new', '/oldest');
    for (const path of ['/old', '/older', '/oldest']) site.pages[path] = redirectTo('/new');
    site.pages['/new'] = 'new';
    expect(pathsOf(await crawl())).toEqual(['/', '/new']);
    expect(asked().filter((path) => path === '/new')).toHaveLength(1);
  });

  it('hands out documents that are not pages, and does not ask for pictures', async () => {
    site.pages['/'] = linksTo('/manual.pdf', '/logo.PNG', '/style.css', '/film', '/notes.txt');
    site.pages['/manual.pdf'] = answer({ 'content-type': 'application/pdf' }, '%PDF-1.7');
    site.pages['/film'] = answer({ 'content-type': 'video/mp4' }, 'x');
    site.pages['/notes.txt'] = text(linksTo('/not-a-link'));
    const pages = await crawl();
    expect(pathsOf(pages)).toEqual(['/', '/manual.pdf', '/notes.txt']);
    expect(pages[1]).toMatchObject({
      mediaType: 'application/pdf',
      filename: 'manual.pdf',
      bytes: Buffer.from('%PDF-1.7'),
    });
    expect(asked()).toEqual(['/', '/manual.pdf', '/film', '/notes.txt']);
  });

  it('does as the pages ask', async () => {
    site.pages['/'] = linksTo('/unindexed', '/unfollowed', '/header', '/other');
    site.pages['/unindexed'] = `<meta name="ROBOTS" content="noindex">${linksTo('/behind-unindexed')}`;
    site.pages['/behind-unindexed'] = 'x';
    site.pages['/unfollowed'] = `<meta name="ragstone" content="nofollow">${linksTo('/behind-unfollowed')}`;
    site.pages['/behind-unfollowed'] = 'x';
    site.pages['/header'] = answer({ 'content-type': 'application/pdf', 'x-robots-tag': 'noindex' }, '%PDF');
    site.pages['/other'] = answer({ 'content-type': 'text/html', 'x-robots-tag': 'otherbot: none' }, 'x');
    expect(pathsOf(await crawl())).toEqual(['/', '/unfollowed', '/other', '/behind-unindexed']);
  });

  it('follows no link that is marked nofollow', async () => {
    site.pages['/'] = '<a href="/no" rel="external NOFOLLOW">no</a><a rel="nofollower" href="/yes">yes</a>';
    site.pages['/yes'] = 'x';
    site.pages['/no'] = 'x';
    expect(pathsOf(await crawl())).toEqual(['/', '/yes']);
  });
});

describe('robots.txt', () => {
  it('is read once and kept, by its group for this robot', async () => {
    site.pages['/robots.txt'] = text(
      'User-agent: *\nDisallow: /\n\nUser-agent: ragstone\nDisallow: /private\nAllow: /private/open\nDisallow: /*.json$\n',
    );
    site.pages['/'] = linksTo(
      '/private/x',
      '/private/open',
      '/data.json',
      '/data.json?x',
      '/to-private',
      '/a',
    );
    site.pages['/to-private'] = redirectTo('/private/x');
    for (const path of ['/private/x', '/private/open', '/data.json', '/a']) site.pages[path] = 'x';
    expect(pathsOf(await crawl())).toEqual(['/', '/private/open', '/data.json?x', '/a']);
    expect(site.paths().filter((path) => path.startsWith('/private/x'))).toEqual([]);
    expect(site.paths().filter((path) => path === '/robots.txt')).toHaveLength(1);
  });

  it.each([404, 403, 410])('allows everything when it is not there (%i)', async (status) => {
    site.pages['/robots.txt'] = answer({}, 'User-agent: *\nDisallow: /', status);
    site.pages['/'] = 'x';
    expect(pathsOf(await crawl())).toEqual(['/']);
  });

  it.each([500, 503, 429])('allows nothing when it can not be had (%i)', async (status) => {
    site.pages['/robots.txt'] = answer({}, '', status);
    site.pages['/'] = 'x';
    await expect(crawl()).rejects.toMatchObject({ code: 'url_status', retryable: true, details: { status } });
    expect(site.paths()).toEqual(['/robots.txt']);
  });

  it('may be redirected to, and counts with its first 512 KiB', async () => {
    site.pages['/robots.txt'] = redirectTo('/rules');
    site.pages['/rules'] = text(`User-agent: *\nDisallow: /no\n${'#'.repeat(600_000)}\nDisallow: /yes`);
    site.pages['/'] = linksTo('/no', '/yes');
    site.pages['/no'] = 'x';
    site.pages['/yes'] = 'x';
    const whole = new PageFetcher({
      bytesMax: 10_000_000,
      timeoutMs: 20_000,
      userAgent: 'x',
      allowNetworks: ['127.0.0.1/32'],
    });
    const paths: string[] = [];
    const request = { start: site.url(), from: 'links', pagesMax: 10, depthMax: 1 } as const;
    for await (const { url } of new Crawler(whole, { delayMs: 0, delayMaxMs: 0 }).crawl(request))
      paths.push(new URL(url).pathname);
    await whole.close();
    expect(paths).toEqual(['/', '/yes']);
  });

  it('says so when it forbids the start, also behind a redirect', async () => {
    site.pages['/robots.txt'] = text('User-agent: *\nDisallow: /private');
    site.pages['/start'] = redirectTo('/private/x');
    for (const path of ['/private', '/start']) {
      expect(await crawl({ start: site.url(path) })).toMatchObject([
        { status: 'failed', error: { code: 'robots_disallowed', retryable: false } },
      ]);
    }
    expect(asked()).toEqual(['/start']);
    await expect(crawl({ start: site.url('/private/sitemap.xml'), from: 'sitemap' })).rejects.toMatchObject({
      code: 'robots_disallowed',
    });
  });

  it('is refused as a whole when its wildcards are made to cost time', async () => {
    site.pages['/robots.txt'] = text(
      `User-agent: *\nAllow: /\n${`Disallow: ${'*a'.repeat(1_000)}b\n`.repeat(40)}`,
    );
    expect(await crawl()).toMatchObject([{ error: { code: 'robots_disallowed' } }]);
  });
});

describe('the pace', () => {
  const waitsMs: number[] = [];
  const sleep = async (delayMs: number) => {
    waitsMs.push(delayMs);
  };
  beforeEach(() => {
    waitsMs.length = 0;
  });

  /** Nearly the whole delay: what the request took is part of it. */
  function expectWaits(...delaysMs: number[]) {
    expect(waitsMs).toHaveLength(delaysMs.length);
    for (const [index, delayMs] of delaysMs.entries()) {
      expect(waitsMs[index]).toBeLessThanOrEqual(delayMs);
      expect(waitsMs[index]).toBeGreaterThan(delayMs / 2);
    }
  }

  it('keeps its delay between requests', async () => {
    site.pages['/'] = linksTo('/a', '/b');
    site.pages['/a'] = 'x';
    site.pages['/b'] = 'x';
    await crawl({ sleep, delayMs: 50_000 });
    expect(site.requests).toHaveLength(4);
    expectWaits(50_000, 50_000, 50_000);
  });

  it('is as slow as robots.txt asks, within the bound', async () => {
    site.pages['/robots.txt'] = text('User-agent: *\nCrawl-delay: 70');
    site.pages['/'] = linksTo('/a');
    site.pages['/a'] = 'x';
    await crawl({ sleep, delayMs: 50_000, delayMaxMs: 100_000 });
    expectWaits(50_000, 70_000);
    waitsMs.length = 0;
    await crawl({ sleep, delayMs: 50_000, delayMaxMs: 60_000 });
    expectWaits(50_000, 60_000);
  });

  it('waits as long as a page asks, within the bound, and then tries it again', async () => {
    let isBusy = true;
    site.pages['/'] = (_request, response) => {
      if (isBusy) response.writeHead(429, { 'retry-after': '3600' });
      isBusy = false;
      response.end();
    };
    expect(await crawl({ sleep, delayMaxMs: 60_000 })).toMatchObject([{ status: 'fetched' }]);
    expectWaits(60_000);
  });

  it('ends at once, in a wait too, with the reason of the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const cancelled = crawl({
      delayMs: 600_000,
      delayMaxMs: 600_000,
      signal: controller.signal,
    });
    await waitFor('the request of robots.txt', () => site.requests.length === 1);
    controller.abort(reason);
    await expect(cancelled).rejects.toBe(reason);
  });
});

describe('a failure', () => {
  it('of a page is tried again after the others, then handed out', async () => {
    site.pages['/'] = linksTo('/broken', '/gone', '/a');
    site.pages['/broken'] = answer({}, '', 500);
    site.pages['/a'] = 'x';
    const pages = await crawl();
    expect(pages).toMatchObject([
      { status: 'fetched', depth: 0 },
      { status: 'failed', depth: 1, url: site.url('/gone'), error: { details: { status: 404 } } },
      { status: 'fetched' },
      {
        status: 'failed',
        depth: 1,
        url: site.url('/broken'),
        error: { code: 'url_status', retryable: true },
      },
    ]);
    expect(asked()).toEqual(['/', '/broken', '/gone', '/a', '/broken']);
  });

  it('of the server ends the crawl before it has asked for all of its pages', async () => {
    site.pages['/'] = linksTo(...Array.from({ length: 50 }, (_, index) => `/${index}`));
    for (let index = 0; index < 50; index += 1) site.pages[`/${index}`] = answer({}, '', 503);
    await expect(crawl()).rejects.toMatchObject({ code: 'url_status', retryable: true });
    expect(asked()).toHaveLength(6);
  });

  it('of a page that is too large does not hide the others', async () => {
    site.pages['/'] = linksTo('/large', '/a');
    site.pages['/large'] = 'x'.repeat(200_000);
    site.pages['/a'] = 'x';
    expect(await crawl()).toMatchObject([
      { status: 'fetched' },
      { status: 'failed', error: { code: 'payload_too_large' } },
      { status: 'fetched' },
    ]);
  });
});

describe('a crawl by sitemap', () => {
  it('hands out its pages of the site and follows no links', async () => {
    site.pages['/map.xml'] = xml(urlset('/a', '/b#x', '/b', elsewhere.url('/'), 'nonsense', '/missing'));
    site.pages['/a'] = linksTo('/unlisted');
    site.pages['/b'] = 'b';
    const pages = await crawl({ start: site.url('/map.xml'), from: 'sitemap' });
    expect(pages.map(({ url, depth, status }) => [url, depth, status])).toEqual([
      [site.url('/a'), 0, 'fetched'],
      [site.url('/b'), 0, 'fetched'],
      [site.url('/missing'), 0, 'failed'],
    ]);
    expect(elsewhere.connectionCount).toBe(0);
  });

  it('finds those that robots.txt names, through an index, compressed or not', async () => {
    site.pages['/robots.txt'] = text(`Sitemap: ${site.url('/index.xml')}\nUser-agent: *\nDisallow: /private`);
    site.pages['/index.xml'] = xml(
      `<sitemapindex><sitemap><loc>${site.url('/1.xml.gz')}</loc></sitemap><sitemap><loc>${site.url('/gone.xml')}</loc></sitemap><sitemap><loc>${site.url('/2.xml')}</loc></sitemap></sitemapindex>`,
    );
    site.pages['/1.xml.gz'] = answer(
      { 'content-type': 'application/gzip' },
      gzipSync(urlset('/a', '/private')),
    );
    site.pages['/2.xml'] = xml(urlset('/b'));
    for (const path of ['/', '/a', '/b', '/private']) site.pages[path] = 'x';
    expect(pathsOf(await crawl({ from: 'sitemap' }))).toEqual(['/a', '/b']);
  });

  it('finds /sitemap.xml, and says so when there is none', async () => {
    site.pages['/'] = 'x';
    await expect(crawl({ from: 'sitemap' })).rejects.toMatchObject({ code: 'url_response_invalid' });
    site.pages['/sitemap.xml'] = xml(urlset('/'));
    expect(pathsOf(await crawl({ from: 'sitemap' }))).toEqual(['/']);
  });

  it('asks only for what has changed since the last time', async () => {
    site.pages['/map.xml'] = xml(urlset('/same', '/changed', '/new'));
    const versioned: PageHandler = ({ headers }, response) =>
      response.writeHead(headers['if-none-match'] === '"v2"' ? 304 : 200, { etag: '"v2"' }).end();
    for (const path of ['/same', '/changed', '/new']) site.pages[path] = versioned;
    const etags: Record<string, string> = { [site.url('/same')]: '"v2"', [site.url('/changed')]: '"v1"' };
    const pages = await crawl({
      start: site.url('/map.xml'),
      from: 'sitemap',
      validatorsOf: async (url) => (etags[url] ? { etag: etags[url], lastModified: null } : null),
    });
    expect(pages.map(({ status }) => status)).toEqual(['not_modified', 'fetched', 'fetched']);
  });

  it('does not ask for an endless index', async () => {
    site.pages['/map.xml'] = xml(
      `<sitemapindex>${`<sitemap><loc>${site.url('/map.xml')}</loc></sitemap>`.repeat(500)}</sitemapindex>`,
    );
    expect(await crawl({ start: site.url('/map.xml'), from: 'sitemap' })).toEqual([]);
    expect(asked()).toHaveLength(50);
  });
});

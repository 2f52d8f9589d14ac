import type { LookupAddress } from 'node:dns';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PageServer, redirectTo } from '../../../../test/support/page-server.js';
import { PageFetcher, type PageFetcherOptions } from './page-fetcher.js';

/** `site` is allowed; `inside` stands for everything that must not be reached, on the same port. */
let site: PageServer;
let inside: PageServer;
const fetchers: PageFetcher[] = [];
beforeAll(async () => {
  site = await PageServer.start({ '/': 'public' });
  inside = await PageServer.start({ '/': 'secret' }, { host: '127.0.0.2', port: site.port });
});
beforeEach(() => {
  inside.connectionCount = 0;
});
afterAll(async () => {
  for (const each of [...fetchers, site, inside]) await each.close();
});

function fetcherWith(options: Partial<PageFetcherOptions> = {}): PageFetcher {
  const fetcher = new PageFetcher({
    bytesMax: 100_000,
    timeoutMs: 20_000,
    userAgent: 'Ragstone/test',
    allowNetworks: ['127.0.0.1/32'],
    ...options,
  });
  fetchers.push(fetcher);
  return fetcher;
}

/** Answers with one list after another, and counts. */
function resolverOf(...answers: string[][]) {
  const asked: string[] = [];
  const resolveName: PageFetcherOptions['resolveName'] = (hostname, callback) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)]!;
    asked.push(hostname);
    callback(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { asked, resolveName };
}

const refusal = { code: 'url_not_allowed', retryable: false };

describe('an address that is not allowed', () => {
  it.each([
    '127.0.0.2',
    '127.2',
    '127.0.2',
    '0x7f000002',
    '0x7f.0.0.0x2',
    '2130706434',
    '017700000002',
    '0177.0.0.02',
    '127.0.0.2.',
    '①②⑦.⓪.⓪.②',
    '%31%32%37.0.0.2',
    '[::ffff:127.0.0.2]',
    '[::ffff:7f00:2]',
    '[0:0:0:0:0:ffff:127.0.0.2]',
    '[::127.0.0.2]',
    '[64:ff9b::127.0.0.2]',
    '[2002:7f00:2::]',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '10.0.0.1',
  ])('is not connected to when it is written %s', async (host) => {
    await expect(fetcherWith().fetch({ url: `http://${host}:${site.port}/` })).rejects.toMatchObject(refusal);
    expect(inside.connectionCount).toBe(0);
  });

  it('is not connected to under any spelling of localhost', async () => {
    const guarded = fetcherWith({ allowNetworks: [] });
    const before = site.connectionCount;
    for (const host of ['localhost', 'LOCALHOST', 'localhost.', '127.0.0.1', '127.1', '[::ffff:127.0.0.1]'])
      await expect(guarded.fetch({ url: `http://${host}:${site.port}/` }), host).rejects.toMatchObject(
        refusal,
      );
    expect(site.connectionCount).toBe(before);
  });

  it('is not connected to through a name, also when the name has allowed addresses, too', async () => {
    for (const addresses of [
      ['127.0.0.2'],
      ['127.0.0.1', '127.0.0.2'],
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.1', '::1'],
    ]) {
      const { resolveName } = resolverOf(addresses);
      const url = `http://two-faced.test:${site.port}/`;
      await expect(fetcherWith({ resolveName }).fetch({ url })).rejects.toMatchObject(refusal);
    }
    expect(inside.connectionCount).toBe(0);
  });

  it('is not connected to by a name that changes its answer after the check', async () => {
    const rebinding = resolverOf(['127.0.0.1'], ['127.0.0.2']);
    const fetcher = fetcherWith({ resolveName: rebinding.resolveName });
    const url = `http://rebinding.test:${site.port}/`;
    expect(await fetcher.fetch({ url })).toMatchObject({ bytes: Buffer.from('public') });
    expect(rebinding.asked, 'one answer is checked and used').toEqual(['rebinding.test']);

    const again = fetcherWith({ resolveName: rebinding.resolveName });
    await expect(again.fetch({ url })).rejects.toMatchObject(refusal);
    expect(inside.connectionCount).toBe(0);
  });

  it('is not connected to by a redirect', async () => {
    const { resolveName } = resolverOf(['127.0.0.2']);
    const targets = [
      `http://127.0.0.2:${site.port}/`,
      `//127.2:${site.port}/`,
      'http://169.254.169.254/latest/meta-data/',
      'http://[::ffff:169.254.169.254]/',
      `http://rebinding.test:${site.port}/`,
      'https://10.0.0.1/',
    ];
    for (const target of targets) {
      site.pages['/away'] = redirectTo(target);
      await expect(
        fetcherWith({ resolveName }).fetch({ url: site.url('/away') }),
        target,
      ).rejects.toMatchObject(refusal);
    }
    expect(inside.connectionCount).toBe(0);
  });

  it('is not told to the one who gave the url, but to the log', async () => {
    const { resolveName } = resolverOf(['10.20.30.40']);
    const error = await fetcherWith({ resolveName })
      .fetch({ url: 'http://intranet.test/?token=secret' })
      .catch((problem: unknown) => problem as Error);
    expect((error as Error).message).not.toMatch(/10\.20|secret/);
    expect((error as Error).message).toContain('FETCH_ALLOW_NETWORKS');
    expect(JSON.stringify((error as Error).cause, ['name', 'message'])).toBeDefined();
    expect(String((error as Error).cause)).toContain('10.20.30.40');
  });
});

describe('a url that is not allowed', () => {
  it.each([
    'file:///etc/passwd',
    'gopher://127.0.0.1:70/_x',
    'ftp://example.com/',
    'data:text/plain,x',
    'javascript:1',
    'ws://x/',
  ])('is %s, given or as the target of a redirect', async (target) => {
    await expect(fetcherWith().fetch({ url: target })).rejects.toMatchObject(refusal);
    site.pages['/scheme'] = redirectTo(target);
    await expect(fetcherWith().fetch({ url: site.url('/scheme') })).rejects.toMatchObject(refusal);
  });

  it('has credentials, which no message repeats', async () => {
    for (const userinfo of ['user:pa55word', 'pa55word', ':pa55word', 'example.com%2f']) {
      const url = `http://${userinfo}@127.0.0.1:${site.port}/`;
      site.pages['/login'] = redirectTo(url);
      for (const each of [url, site.url('/login')])
        await expect(fetcherWith().fetch({ url: each }), each).rejects.toMatchObject({
          ...refusal,
          message: expect.not.stringContaining('pa55word'),
        });
    }
  });

  it('has a port beyond those of the operator', async () => {
    const fetcher = fetcherWith({ ports: [site.port] });
    expect(await fetcher.fetch({ url: site.url() })).toMatchObject({ status: 'fetched' });
    const requestCount = site.requests.length;
    await expect(fetcher.fetch({ url: 'http://127.0.0.1:22/' })).rejects.toMatchObject(refusal);
    await expect(fetcher.fetch({ url: 'http://127.0.0.1/' })).rejects.toMatchObject(refusal);
    expect(site.requests).toHaveLength(requestCount);
  });

  it.each([
    '',
    'example.com/page',
    '/page',
    'http://',
    'http://exa mple/',
    `http://example.com/${'x'.repeat(5_000)}`,
  ])('is no url at all: %j', async (url) => {
    await expect(fetcherWith().fetch({ url })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

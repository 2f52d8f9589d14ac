import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type PageHandler, PageServer } from '../../../../test/support/page-server.js';
import { PageFetcher, type PageFetcherOptions } from './page-fetcher.js';

const BYTES_MAX = 100_000;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

function fetcherWith(options: Partial<PageFetcherOptions> = {}): PageFetcher {
  const fetcher = new PageFetcher({
    bytesMax: BYTES_MAX,
    timeoutMs: 20_000,
    userAgent: 'Ragstone/test',
    allowNetworks: ['127.0.0.1/32'],
    ...options,
  });
  open.push(fetcher);
  return fetcher;
}

async function siteWith(page: PageHandler): Promise<string> {
  const site = await PageServer.start({ '/': page });
  open.push(site);
  return site.url();
}

async function rawSite(onConnection: (socket: Socket) => void): Promise<string> {
  const site = await PageServer.startRaw(onConnection);
  open.push(site);
  return site.url();
}

/** Writes one piece again and again until the reader goes away. */
function writeForever(socket: { write(piece: Buffer): boolean; destroyed: boolean }, piece: Buffer): void {
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write(piece);
  }, 1);
}

describe('a server that is slow', () => {
  it('is left when it sends no headers', async () => {
    const url = await siteWith(() => {});
    await expect(fetcherWith({ idleTimeoutMs: 200 }).fetch({ url })).rejects.toMatchObject({
      code: 'url_timeout',
      retryable: true,
    });
  });

  it('is left when its headers come byte by byte', async () => {
    const url = await rawSite((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      writeForever(socket, Buffer.from('y'));
    });
    await expect(fetcherWith({ timeoutMs: 500 }).fetch({ url })).rejects.toMatchObject({
      code: 'url_timeout',
    });
  });

  it('is left when its body stops', async () => {
    const url = await siteWith((_request, response) => response.writeHead(200).write('begin'));
    await expect(fetcherWith({ idleTimeoutMs: 200 }).fetch({ url })).rejects.toMatchObject({
      code: 'url_timeout',
    });
  });

  it('is left when its body comes byte by byte', async () => {
    const url = await siteWith((_request, response) => {
      response.writeHead(200);
      writeForever(response, Buffer.from('y'));
    });
    await expect(fetcherWith({ timeoutMs: 500 }).fetch({ url })).rejects.toMatchObject({
      code: 'url_timeout',
    });
  });

  it('has one time for all of its redirects', async () => {
    const url = await siteWith((_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/' }).end(), 150);
    });
    await expect(fetcherWith({ timeoutMs: 400 }).fetch({ url })).rejects.toMatchObject({
      code: 'url_timeout',
    });
  });

  it('is left when its name is never resolved', async () => {
    const fetcher = fetcherWith({ connectTimeoutMs: 200, resolveName: () => {} });
    await expect(fetcher.fetch({ url: 'http://slow.test/' })).rejects.toMatchObject({ code: 'url_timeout' });
  });
});

describe('a body that is too large', () => {
  it('is refused by the bytes that come, whatever was announced', async () => {
    const endless = await siteWith((_request, response) => {
      response.writeHead(200);
      writeForever(response, Buffer.alloc(10_000, 'x'));
    });
    await expect(fetcherWith().fetch({ url: endless })).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('is cut instead when the caller wants its start', async () => {
    const endless = await siteWith((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const gzip = createGzip({ level: 0 });
      gzip.pipe(response);
      writeForever(gzip, Buffer.alloc(10_000, 'x'));
    });
    const page = await fetcherWith().fetch({ url: endless, bytesMax: 25_000, truncate: true });
    expect(page).toMatchObject({ bytes: Buffer.alloc(25_000, 'x') });
  });

  it('is taken up to the last byte that is allowed', async () => {
    const fetcher = fetcherWith();
    for (const [extra, code] of [
      [0, null],
      [1, 'payload_too_large'],
    ] as const) {
      const url = await siteWith((_request, response) => response.end(Buffer.alloc(BYTES_MAX + extra)));
      const outcome = await fetcher.fetch({ url }).catch((error: unknown) => error);
      expect(outcome).toMatchObject(code ? { code } : { status: 'fetched' });
    }
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(50_000_000))],
    ['deflate', deflateSync(Buffer.alloc(50_000_000))],
    ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000)))],
  ])('is refused while it is decompressed (%s)', async (encoding, bomb) => {
    const url = await siteWith((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb),
    );
    await expect(fetcherWith().fetch({ url })).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('is refused when it decompresses to nothing without end', async () => {
    const url = await siteWith((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      // The empty stored block of deflate, for ever.
      response.write(Buffer.from('1f8b0800000000000003', 'hex'));
      writeForever(response, Buffer.from('000000ffff'.repeat(4_000), 'hex'));
    });
    await expect(fetcherWith().fetch({ url })).rejects.toMatchObject({ code: 'payload_too_large' });
  });
});

describe('a response that is damaged', () => {
  it.each([
    ['ends before its announced length', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'],
    ['ends within a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nshort'],
    ['has a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['is not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['has endless headers', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
    ['has two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
  ])('is an error when it %s', async (_what, response) => {
    const url = await rawSite((socket) => socket.once('data', () => socket.end(response)));
    await expect(fetcherWith().fetch({ url })).rejects.toMatchObject({
      code: 'url_response_invalid',
      retryable: true,
    });
  });

  it.each(['gzip', 'br', 'deflate'])('is an error when it is not the %s that it says', async (encoding) => {
    const noise = Buffer.concat([Buffer.from([0x78]), randomBytes(5_000)]);
    const url = await siteWith((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(noise),
    );
    await expect(fetcherWith().fetch({ url })).rejects.toMatchObject({ code: 'url_response_invalid' });
  });

  it('is an error when its compressed body is cut', async () => {
    const whole = gzipSync(randomBytes(5_000));
    const url = await siteWith((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(whole.subarray(0, 3_000)),
    );
    await expect(fetcherWith().fetch({ url })).rejects.toMatchObject({ code: 'url_response_invalid' });
  });

  it.each(['zstd', 'gzip, gzip, gzip'])('is an error when it is encoded as %s', async (encoding) => {
    const url = await siteWith((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end('x'),
    );
    await expect(fetcherWith().fetch({ url })).rejects.toMatchObject({
      code: 'url_response_invalid',
      retryable: false,
    });
  });
});

describe('a server that is away', () => {
  it('is worth another try when it refuses or resets the connection', async () => {
    const gone = await PageServer.start();
    const url = gone.url();
    await gone.close();
    const resetting = await rawSite((socket) => socket.resetAndDestroy());
    for (const each of [url, resetting])
      await expect(fetcherWith().fetch({ url: each })).rejects.toMatchObject({
        code: 'url_unreachable',
        retryable: true,
      });
  });

  it('is told from a name that does not exist', async () => {
    const resolveName: PageFetcherOptions['resolveName'] = (_hostname, callback) =>
      callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
    await expect(fetcherWith({ resolveName }).fetch({ url: 'http://nowhere.test/' })).rejects.toMatchObject({
      code: 'url_unreachable',
      message: expect.stringContaining('Check its spelling'),
    });
  });
});

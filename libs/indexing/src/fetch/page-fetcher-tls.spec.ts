import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PageFetcher } from './page-fetcher.js';

const authorities = getCACertificates('default');
const served: (string | false | null)[] = [];
let server: Server | undefined;
let port: number;
let fetcher: PageFetcher;
let certificate: string | null = null;

beforeAll(async () => {
  const pair = await makeCertificate('docs.test').catch(() => null);
  if (!pair) return;
  certificate = pair.certificate;
  server = createServer({ key: pair.key, cert: pair.certificate }, ({ socket }, response) => {
    served.push((socket as TLSSocket & { servername?: string }).servername ?? null);
    response.end('by tls');
  });
  await new Promise<void>((resolve) => {
    server!.listen(0, '127.0.0.1', resolve);
  });
  ({ port } = server.address() as AddressInfo);
  fetcher = new PageFetcher({
    bytesMax: 1_000,
    timeoutMs: 20_000,
    userAgent: 'Ragstone/test',
    allowNetworks: ['127.0.0.1/32'],
    resolveName: (_hostname, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  });
});
afterAll(async () => {
  setDefaultCACertificates(authorities);
  await fetcher?.close();
  server?.closeAllConnections();
  server?.close();
});

it('speaks TLS by the name, though it connects to the checked address', async ({ skip }) => {
  if (!certificate) skip('openssl is not installed, which makes the certificate of this test');
  const page = (name: string) => fetcher.fetch({ url: `https://${name}:${port}/` });
  await expect(page('docs.test')).rejects.toMatchObject({
    code: 'url_unreachable',
    retryable: false,
    message: expect.stringContaining('certificate'),
  });

  setDefaultCACertificates([...authorities, certificate!]);
  await expect(page('other.test')).rejects.toMatchObject({ code: 'url_unreachable', retryable: false });
  await expect(page('127.0.0.1')).rejects.toMatchObject({ code: 'url_unreachable' });
  expect(await page('docs.test')).toMatchObject({ bytes: Buffer.from('by tls') });
  expect(served).toEqual(['docs.test']);
});

async function makeCertificate(name: string): Promise<{ key: string; certificate: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-tls-'));
  const [key, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  try {
    const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
    const subject = `-subj /CN=${name} -addext subjectAltName=DNS:${name}`;
    const options = `${kind} ${subject} -keyout ${key} -out ${certificateFile}`;
    await promisify(execFile)('openssl', options.split(' '));
    return { key: await readFile(key, 'utf8'), certificate: await readFile(certificateFile, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

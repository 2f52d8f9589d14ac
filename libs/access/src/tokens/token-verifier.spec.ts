import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JwtConfig } from '#libs/config';
import { TokenVerifier } from './token-verifier.js';

const SECRET = 'a secret of more than thirty-two characters';
const ISSUER = 'https://id.example.com';
const AUDIENCE = 'ragstone';

const base: JwtConfig = {
  secret: null,
  jwksUrl: null,
  issuer: ISSUER,
  audience: AUDIENCE,
  clockSkewSeconds: 30,
  tenantClaim: null,
  userClaim: 'sub',
  scopesClaim: 'scope',
  scopesPrefix: '',
};

const rsa = await generateKeyPair('RS256', { extractable: true });
const ec = await generateKeyPair('ES256', { extractable: true });
const stranger = await generateKeyPair('RS256', { extractable: true });

let issuer: Server;
let fetches = 0;
let jwksUrl = '';

beforeAll(async () => {
  const keys = [
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256' },
    { ...(await exportJWK(ec.publicKey)), kid: 'ec', alg: 'ES256' },
  ];
  issuer = createServer((_request, response) => {
    fetches += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => {
    issuer.listen(0, '127.0.0.1', resolve);
  });
  jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks.json`;
});
afterAll(() => {
  issuer.close();
});

const now = () => Math.floor(Date.now() / 1_000);

function token(claims: JWTPayload, header: { alg: string; kid?: string }): SignJWT {
  const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'ann', scope: 'query', exp: now() + 600 };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader(header);
}

function byHmac(claims: JWTPayload = {}): Promise<string> {
  return token(claims, { alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));
}

describe('TokenVerifier', () => {
  it('takes HS256 by the secret, RS256 and ES256 by the keys that the issuer publishes, fetched once', async () => {
    const verifier = new TokenVerifier({ ...base, secret: SECRET, jwksUrl });
    const before = fetches;
    for (const text of [
      await byHmac(),
      await token({}, { alg: 'RS256', kid: 'rsa' }).sign(rsa.privateKey),
      await token({}, { alg: 'ES256', kid: 'ec' }).sign(ec.privateKey),
    ]) {
      expect(await verifier.verify(text)).toMatchObject({ userId: 'ann', scopes: ['query'], tenant: null });
    }
    expect(fetches - before).toBe(1);
  });

  it.each<[what: string, claims: JWTPayload, why: string]>([
    ['has expired', { exp: now() - 31 }, 'expired'],
    ['does not expire', { exp: undefined }, 'exp'],
    ['is not valid yet', { nbf: now() + 60 }, 'nbf'],
    ['is of another issuer', { iss: 'https://evil.example.com' }, 'iss'],
    ['is for another service', { aud: 'billing' }, 'aud'],
    ['has no user', { sub: undefined }, 'user'],
    ['has a user that is no text', { sub: 42 as unknown as string }, 'sub'],
  ])('refuses a token that %s', async (_what, claims, why) => {
    const verifier = new TokenVerifier({ ...base, secret: SECRET });
    await expect(verifier.verify(await byHmac(claims))).rejects.toMatchObject({
      code: 'credentials_invalid',
      message: expect.stringContaining(why),
    });
  });

  it('allows clocks to differ by the skew', async () => {
    const verifier = new TokenVerifier({ ...base, secret: SECRET });
    await verifier.verify(await byHmac({ exp: now() - 20, nbf: now() - 600 }));
    expect(await verifier.verify(await byHmac({ nbf: now() + 20 }))).toMatchObject({ userId: 'ann' });
  });

  it('refuses what is not signed by a known key', async () => {
    const both = new TokenVerifier({ ...base, secret: SECRET, jwksUrl });
    const onlyKeys = new TokenVerifier({ ...base, jwksUrl });
    const good = await byHmac();
    const [head, body, signature] = good.split('.') as [string, string, string];
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const publicKey = new TextEncoder().encode(await exportSPKI(rsa.publicKey));
    const changed = Buffer.from(JSON.stringify({ sub: 'eve', exp: now() + 600 })).toString('base64url');
    for (const text of [
      '',
      'a.b.c',
      'x'.repeat(5_000),
      `${head}.${changed}.${signature}`,
      `${none}.${body}.`,
      await token({}, { alg: 'HS256' }).sign(new TextEncoder().encode(`${SECRET}!`)),
      await token({}, { alg: 'HS256', kid: 'rsa' }).sign(publicKey), // a public key is no secret
      await token({}, { alg: 'RS256', kid: 'rsa' }).sign(stranger.privateKey),
      await token({}, { alg: 'RS256', kid: 'unknown' }).sign(stranger.privateKey),
    ]) {
      await expect(both.verify(text), text.slice(0, 80)).rejects.toMatchObject({
        code: 'credentials_invalid',
      });
    }
    await expect(onlyKeys.verify(good)).rejects.toMatchObject({ code: 'credentials_invalid' });
  });

  it('says that the issuer is away, and not that the token is wrong', async () => {
    const verifier = new TokenVerifier({ ...base, jwksUrl: 'http://127.0.0.1:1/jwks.json' });
    const text = await token({}, { alg: 'RS256', kid: 'rsa' }).sign(rsa.privateKey);
    await expect(verifier.verify(text)).rejects.toMatchObject({
      code: 'issuer_unavailable',
      retryable: true,
    });
  });

  it('finds tenant, user and scopes where the configuration says', async () => {
    const verifier = new TokenVerifier({
      ...base,
      secret: SECRET,
      tenantClaim: 'https://example.com/org',
      userClaim: 'email',
      scopesClaim: 'realm_access.roles',
      scopesPrefix: 'ragstone:',
    });
    const claims = {
      'https://example.com/org': 'acme',
      email: 'ann@acme.example',
      realm_access: { roles: ['ragstone:query', 'ragstone:index', 'ragstone:root', 'admin', 7] },
    };
    expect(await verifier.verify(await byHmac(claims))).toMatchObject({
      tenant: 'acme',
      userId: 'ann@acme.example',
      scopes: ['query', 'index'],
    });
    const { 'https://example.com/org': _, ...withoutTenant } = claims;
    await expect(verifier.verify(await byHmac(withoutTenant))).rejects.toMatchObject({
      code: 'credentials_invalid',
      message: expect.stringContaining('tenant'),
    });
  });
});

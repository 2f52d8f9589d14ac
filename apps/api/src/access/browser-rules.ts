import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '#libs/config';

const PREFLIGHT_SECONDS = 600;
const exposedHeaders = [
  'idempotency-replayed',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'ratelimit-policy',
  'retry-after',
  'x-request-id',
];

/** What browsers may do with answers: which pages may read them, and what our own page may load. */
export function setBrowserRules(app: NestFastifyApplication, { access, http }: Config): void {
  const { corsOrigins, corsCredentials } = access;
  if (corsOrigins.length > 0) {
    app.enableCors({
      origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
      credentials: corsCredentials,
      methods: ['GET', 'POST', 'PATCH', 'DELETE'],
      exposedHeaders,
      maxAge: PREFLIGHT_SECONDS,
    });
  }
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: "'self'",
        baseUri: "'none'",
        connectSrc: "'self'",
        formAction: "'self'",
        frameAncestors: "'none'",
        imgSrc: ["'self'", 'data:'],
        objectSrc: "'none'",
        scriptSrc: "'self'",
        styleSrc: ["'self'", "'unsafe-inline'"], // of the API page
      },
    },
    crossOriginResourcePolicy: { policy: corsOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: http.tls !== null, // behind a proxy it is the proxy's to say
  });
}

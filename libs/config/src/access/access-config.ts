import { isIP } from 'node:net';
import { z } from 'zod';
import { listOf, url } from '../variables.js';
import { type Limit, limit, routeLimits } from './limit.js';

/** JSON Web Tokens, and which of their claims say what. */
export interface JwtConfig {
  /** For HS256. */
  secret: string | null;
  /** For RS256 and ES256. */
  jwksUrl: string | null;
  issuer: string;
  audience: string;
  clockSkewSeconds: number;
  /** Null: all tokens are of the default tenant. */
  tenantClaim: string | null;
  userClaim: string;
  scopesClaim: string;
  scopesPrefix: string;
}

export interface AccessConfig {
  isRequired: boolean;
  /** How long a verified key or token is taken without another look. */
  cacheSeconds: number;
  jwt: JwtConfig | null;
  metrics: 'open' | 'admin';
  /** Web pages that may use the API from a browser; ["*"]: all, without credentials. */
  corsOrigins: readonly string[];
  corsCredentials: boolean;
}

export interface LimitsConfig {
  global: Limit | null;
  user: Limit | null;
  /** Of each user, by route: "POST /agent/invoke". */
  routes: Readonly<Record<string, Limit>>;
}

const origin = z
  .string()
  .refine((text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text), {
    error: 'must be origins such as https://app.example.com, with commas between them, or *',
  });

/** One variable an entry, in the order of .env.example. */
export const accessVariables = {
  AUTH: z.enum(['on', 'off']).default('off'),
  AUTH_CACHE_SECONDS: z.coerce.number('must be a number').int().min(1).max(300).default(5),
  JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  JWT_JWKS_URL: url.optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_CLOCK_SKEW_SECONDS: z.coerce.number('must be a number').int().min(0).max(300).default(30),
  JWT_TENANT_CLAIM: z.string().optional(),
  JWT_USER_CLAIM: z.string().default('sub'),
  JWT_SCOPES_CLAIM: z.string().default('scope'),
  JWT_SCOPES_PREFIX: z.string().default(''),
  METRICS_ACCESS: z.enum(['open', 'admin']).default('open'),
  CORS_ORIGINS: listOf(origin),
  CORS_CREDENTIALS: z.stringbool('must be true or false').default(false),
  RATE_LIMIT_GLOBAL: limit.optional(),
  RATE_LIMIT_USER: limit.optional(),
  RATE_LIMIT_ROUTES: routeLimits.optional(),
};

type Values = z.infer<z.ZodObject<typeof accessVariables>>;

/** So far from any use by people that only a runaway loop meets it. */
const generous: Limit = { perSecond: 10_000, burst: 20_000 };

export function accessConfig(values: Values): AccessConfig {
  return {
    isRequired: values.AUTH === 'on',
    cacheSeconds: values.AUTH_CACHE_SECONDS,
    jwt: jwtConfig(values),
    metrics: values.METRICS_ACCESS,
    corsOrigins: values.CORS_ORIGINS,
    corsCredentials: values.CORS_CREDENTIALS,
  };
}

export function limitsConfig(values: Values): LimitsConfig {
  const isOpen = values.AUTH === 'off';
  const choose = (given: Limit | null | undefined, usual: Limit) =>
    given === undefined ? (isOpen ? generous : usual) : given;
  return {
    global: choose(values.RATE_LIMIT_GLOBAL, { perSecond: 100, burst: 200 }),
    user: choose(values.RATE_LIMIT_USER, { perSecond: 10, burst: 20 }),
    routes:
      values.RATE_LIMIT_ROUTES ?? (isOpen ? {} : { 'POST /agent/invoke': { perSecond: 10 / 60, burst: 10 } }),
  };
}

export function accessProblems(values: Values): (string | false | undefined)[] {
  const { JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE } = values;
  const hasTokens = Boolean(JWT_SECRET ?? JWT_JWKS_URL);
  return [
    hasTokens &&
      !(JWT_ISSUER && JWT_AUDIENCE) &&
      'JWT_ISSUER, JWT_AUDIENCE: set both, or a token that was made for another service would be taken',
    !hasTokens &&
      (JWT_ISSUER ?? JWT_AUDIENCE) !== undefined &&
      'JWT_ISSUER, JWT_AUDIENCE: also set JWT_SECRET or JWT_JWKS_URL',
    hasTokens &&
      values.AUTH === 'off' &&
      'JWT_SECRET, JWT_JWKS_URL: also set AUTH=on, or no token is looked at',
    values.CORS_CREDENTIALS &&
      (values.CORS_ORIGINS.includes('*') || values.CORS_ORIGINS.length === 0) &&
      'CORS_CREDENTIALS: list the origins in CORS_ORIGINS; with * any page could act as its visitors',
  ];
}

/** Only this machine can connect. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

function jwtConfig(values: Values): JwtConfig | null {
  if (!values.JWT_SECRET && !values.JWT_JWKS_URL) return null;
  return {
    secret: values.JWT_SECRET ?? null,
    jwksUrl: values.JWT_JWKS_URL ?? null,
    issuer: values.JWT_ISSUER ?? '',
    audience: values.JWT_AUDIENCE ?? '',
    clockSkewSeconds: values.JWT_CLOCK_SKEW_SECONDS,
    tenantClaim: values.JWT_TENANT_CLAIM ?? null,
    userClaim: values.JWT_USER_CLAIM,
    scopesClaim: values.JWT_SCOPES_CLAIM,
    scopesPrefix: values.JWT_SCOPES_PREFIX,
  };
}

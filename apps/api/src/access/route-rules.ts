import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Scope } from '#libs/access';

export interface RouteRule {
  /** "POST /query", as the OpenAPI document writes it. */
  name: string;
  /** One of them is enough. open: everybody; metrics: as METRICS_ACCESS says. */
  access: readonly Scope[] | 'open' | 'metrics';
  /** A stream is counted apart from other requests, and has a deadline of its own. asked: where its body has `"stream": true`. */
  isStream: boolean | 'asked';
  /** own: the route sees to it in its transaction. none: its answer holds a secret, or is a stream, and is never kept. */
  idempotency: 'saved' | 'own' | 'none';
}

const read: readonly Scope[] = ['query', 'index'];
const query: readonly Scope[] = ['query'];
const index: readonly Scope[] = ['index'];
const admin: readonly Scope[] = ['admin'];

type Given = RouteRule['access'] | ({ access: RouteRule['access'] } & Partial<RouteRule>);

/** Its pages hold nothing of ours; what they send is asked for its key. */
function langServe(chain: string): Record<string, Given> {
  const stream: Given = { access: query, isStream: true, idempotency: 'none' };
  return {
    [`POST /${chain}/invoke`]: query,
    [`POST /${chain}/batch`]: query,
    [`POST /${chain}/stream`]: stream,
    [`POST /${chain}/stream_log`]: stream,
    [`GET /${chain}/input_schema`]: 'open',
    [`GET /${chain}/output_schema`]: 'open',
    [`GET /${chain}/config_schema`]: 'open',
    [`GET /${chain}/playground`]: 'open',
    [`GET /${chain}/playground/playground.js`]: 'open',
  };
}

/** Who may use which route. A route that is not here is the admin's, and a test fails. */
const rules: Record<string, Given> = {
  'POST /query': { access: query, isStream: 'asked' },
  'POST /search': query,
  'POST /query/stream': { access: query, isStream: true, idempotency: 'none' },
  'GET /query/stream/{id}': { access: query, isStream: true },
  'POST /chat/stream': { access: query, isStream: true, idempotency: 'none' },
  'POST /query/{request_id}/feedback': query,
  'POST /conversations': query,
  'GET /conversations': query,
  'GET /conversations/{id}': query,
  'DELETE /conversations/{id}': query,
  'POST /index': { access: index, idempotency: 'own' },
  'POST /index/batch': { access: index, idempotency: 'own' },
  'GET /documents': read,
  'DELETE /documents': index,
  'GET /documents/{id}': read,
  'PATCH /documents/{id}': index,
  'DELETE /documents/{id}': index,
  'GET /documents/{id}/chunks': read,
  'GET /documents/{id}/text': read,
  'GET /collections': read,
  'POST /collections': index,
  'PATCH /collections/{id}': index,
  'POST /collections/{id}/reembed': admin,
  'GET /jobs': index,
  'GET /jobs/{id}': index,
  'GET /jobs/{id}/events': { access: index, isStream: true },
  'POST /jobs/{id}/cancel': index,
  'POST /jobs/{id}/retry': index,
  'POST /jobs/retry': index,
  'GET /ws': { access: read, isStream: true },
  'POST /v1/chat/completions': { access: query, isStream: 'asked' },
  'POST /v1/responses': { access: query, isStream: 'asked' },
  'POST /v1/embeddings': query,
  'GET /v1/models': read,
  'GET /v1/models/{id}': read,
  ...langServe('rag'),
  ...langServe('agent'),
  'POST /mcp': { access: read, isStream: true, idempotency: 'none' },
  'GET /mcp': { access: read, isStream: true },
  'DELETE /mcp': read,
  'GET /usage': admin,
  'GET /metrics/summary': 'metrics',
  'GET /admin/queries': admin,
  'GET /admin/log-level': admin,
  'PUT /admin/log-level': admin,
  'GET /keys': admin,
  'POST /keys': { access: admin, idempotency: 'none' },
  'POST /keys/{id}/rotate': { access: admin, idempotency: 'none' },
  'DELETE /keys/{id}': admin,
  'GET /health': 'open',
  'GET /ready': 'open',
  'GET /metrics': 'metrics',
  'GET /openapi.json': 'open',
  'GET /openapi.yaml': 'open',
};

/** The API page and its files. */
const OPEN_FOLDERS = ['/docs'];

const byName = new Map(Object.entries(rules).map(([name, given]) => [name, completed(name, given)]));
const byRoute = new Map<string, RouteRule>();

/** Null: there is no such route. */
export function ruleOf(request: FastifyRequest): RouteRule | null {
  if (request.is404) return null;
  const { url = '' } = request.routeOptions;
  const key = `${request.method} ${url}`;
  const known = byRoute.get(key);
  if (known) return known;
  const rule = declaredRule(request.method, url) ?? completed(routeName(request.method, url), admin);
  byRoute.set(key, rule);
  return rule;
}

/** Of a route that exists. Before the body is read, what only its body asks for is none. */
export function isStream({ rule, body }: FastifyRequest): boolean {
  if (rule!.isStream !== 'asked') return rule!.isStream;
  return (body as { stream?: unknown } | null | undefined)?.stream === true;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Registered, and not in the rules: "POST /new". */
    undeclaredRoutes: ReadonlySet<string>;
  }
}

/** Every route that is registered from now on and is not in the rules. */
export function collectUndeclaredRoutes(app: NestFastifyApplication): ReadonlySet<string> {
  const undeclared = new Set<string>();
  const fastify = app.getHttpAdapter().getInstance();
  fastify.decorate('undeclaredRoutes', undeclared);
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      if (one !== 'OPTIONS' && !declaredRule(one, url)) undeclared.add(routeName(one, url));
    }
  });
  return undeclared;
}

/** @param url as Fastify has it: /documents/:id */
export function declaredRule(method: string, url: string): RouteRule | null {
  const name = routeName(method, url);
  const isOpen = OPEN_FOLDERS.some((folder) => url === folder || url.startsWith(`${folder}/`));
  return byName.get(name) ?? (isOpen ? completed(name, 'open') : null);
}

function routeName(method: string, url: string): string {
  return `${method === 'HEAD' ? 'GET' : method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`;
}

function completed(name: string, given: Given): RouteRule {
  const usual = { name, isStream: false, idempotency: 'saved' as const };
  return typeof given === 'object' && 'access' in given
    ? { ...usual, ...given }
    : { ...usual, access: given };
}

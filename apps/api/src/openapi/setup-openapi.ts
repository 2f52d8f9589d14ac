import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { stringify } from 'yaml';
import { declaredRule, type RouteRule } from '../access/route-rules.js';
import { indexRequestBodies } from '../indexing/index.openapi.js';
import { isOpenAiRoute } from '../openai/openai-error.js';
import { problemReasons } from './api-problems.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;

const idempotencyHeader = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description: 'The same request with the same key within a day has one effect and the same answer.',
  schema: { type: 'string' as const },
};

/** /openapi.json and the page /docs. */
export function setupOpenApi(app: NestFastifyApplication, version: string): void {
  const description = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Ragstone')
    .setDescription(
      'Index documents, answer questions with checked citations. Errors are RFC 9457 problem+json.',
    )
    .setVersion(version)
    .addBearerAuth({ type: 'http', description: 'An API key (rs_...) or a token.' })
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .build();
  let document: OpenAPIObject | undefined;
  const make = () => (document ??= completed(SwaggerModule.createDocument(app, description)));
  SwaggerModule.setup('docs', app, make, { raw: false, customSiteTitle: 'Ragstone API' });
  serve(app, '/openapi.json', 'application/json', () => JSON.stringify(make()));
  serve(app, '/openapi.yaml', 'text/yaml', () => stringify(make(), { aliasDuplicateObjects: false }));
}

/** Swagger's module would write it anew for everybody who asks, and hold a copy for each slow reader. */
function serve(app: NestFastifyApplication, path: string, type: string, write: () => string): void {
  let bytes: Buffer | undefined;
  const fastify = app.getHttpAdapter().getInstance();
  fastify.get(path, (_request, reply) => {
    bytes ??= Buffer.from(write());
    void reply.type(`${type}; charset=utf-8`).send(bytes);
  });
}

/** What decorators can't say: routes with two kinds of bodies, and that errors are problem+json. */
function completed(document: OpenAPIObject): OpenAPIObject {
  for (const [path, body] of Object.entries(indexRequestBodies)) {
    document.paths[path]!.post!.requestBody = body() as never;
  }
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const operation = item[method];
      if (!operation) continue;
      describeAccess(operation, declaredRule(method.toUpperCase(), path));
      if (isOpenAiRoute(path)) continue;
      const { responses } = operation;
      for (const [status, response] of Object.entries(responses)) {
        if (Number(status) < 400 || !response || !('content' in response)) continue;
        const json = response.content?.['application/json'];
        if (json) response.content = { 'application/problem+json': json };
      }
    }
  }
  return document;
}

const guarded = [401, 403, 429, 503];

/** What the route rules say of a route, and the answers that all guarded routes have. */
function describeAccess(operation: OperationObject, rule: RouteRule | null): void {
  if (!rule || !Array.isArray(rule.access)) return;
  operation.security = [{ bearer: [] }];
  Object.assign(operation, { 'x-scopes': rule.access });
  const isKept = rule.name.startsWith('POST ') && rule.idempotency === 'saved' && rule.isStream !== true;
  if (isKept) operation.parameters = [...(operation.parameters ?? []), idempotencyHeader];
  for (const status of isKept ? [...guarded, 409] : guarded) {
    operation.responses[status] ??= {
      description: problemReasons[status]!,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
}

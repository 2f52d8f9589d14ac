import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/test-api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.close());

it('serves a valid OpenAPI 3.1 description that has every route', async () => {
  const { body } = await api.client.get<{ openapi: string; paths: Record<string, object> }>('/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  expect(await new Validator().validate(structuredClone(body))).toMatchObject({ valid: true });
  const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.sort()).toEqual(
    [
      'POST /query',
      'POST /query/stream',
      'GET /query/stream/{id}',
      'POST /chat/stream',
      'POST /conversations',
      'GET /conversations',
      'GET /conversations/{id}',
      'DELETE /conversations/{id}',
      'POST /search',
      'POST /index',
      'POST /index/batch',
      'POST /jobs/retry',
      'GET /jobs/{id}/events',
      'PATCH /documents/{id}',
      'DELETE /documents',
      'PATCH /collections/{id}',
      'GET /jobs/{id}',
      'GET /documents',
      'GET /documents/{id}',
      'DELETE /documents/{id}',
      'GET /documents/{id}/chunks',
      'GET /documents/{id}/text',
      'GET /collections',
      'POST /collections',
      'GET /metrics',
      'GET /jobs',
      'POST /collections/{id}/reembed',
      'POST /jobs/{id}/cancel',
      'POST /jobs/{id}/retry',
      'GET /health',
      'GET /ready',
      'GET /usage',
      'GET /keys',
      'POST /keys',
      'POST /keys/{id}/rotate',
      'DELETE /keys/{id}',
      'GET /metrics/summary',
      'GET /admin/queries',
      'GET /admin/log-level',
      'PUT /admin/log-level',
      'POST /query/{request_id}/feedback',
      'POST /v1/chat/completions',
      'POST /v1/responses',
      ...['rag', 'agent'].flatMap((chain) => [
        `POST /${chain}/invoke`,
        `POST /${chain}/batch`,
        `POST /${chain}/stream`,
        `POST /${chain}/stream_log`,
        `GET /${chain}/input_schema`,
        `GET /${chain}/output_schema`,
        `GET /${chain}/config_schema`,
      ]),
      'POST /mcp',
      'POST /v1/embeddings',
      'GET /v1/models',
      'GET /v1/models/{id}',
    ].sort(),
  );
});

it('describes requests by the schemas that validate them', async () => {
  const { body } = await api.client.get('/openapi.json');
  const { components } = body as {
    components: { schemas: Record<string, { properties: Record<string, object> }> };
  };
  expect(components.schemas.QueryRequest!.properties.top_k).toMatchObject({
    minimum: 1,
    maximum: 100,
    default: 5,
  });
  expect(components.schemas.Citation!.properties).toHaveProperty('quote');
  expect(components.schemas.Problem!.properties).toHaveProperty('request_id');
});

it('describes both bodies of a batch, and what a patch may be answered', async () => {
  const { body } = await api.client.get('/openapi.json');
  const { paths } = body as {
    paths: Record<
      string,
      Record<
        string,
        {
          requestBody: { content: Record<string, { schema: { properties: object } }> };
          responses: Record<string, { description?: string; content?: object }>;
        }
      >
    >;
  };
  const { content } = paths['/index/batch']!.post!.requestBody;
  expect(content['application/json']!.schema.properties).toHaveProperty('documents');
  expect(content['multipart/form-data']!.schema.properties).toHaveProperty('file');
  for (const [path, methods] of Object.entries(paths)) {
    if (path === '/ready') continue; // its 503 is what it has to say, not a problem
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const [status, response] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        expect(response.description, `${method} ${path} ${status}`).toMatch(/^[A-Z]/);
        expect(Object.keys(response.content ?? {}), `${method} ${path} ${status}`).toEqual([
          path.startsWith('/v1/') ? 'application/json' : 'application/problem+json',
        ]);
      }
    }
  }
});

it('shows it as a page at /docs', async () => {
  const page = await fetch(`${api.url}/docs`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('Ragstone API');
});

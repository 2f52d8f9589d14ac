import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { indexRequestBodies } from '../indexing/index.openapi.js';
import { isOpenAiRoute } from '../openai/openai-error.js';

/** /openapi.json and the page /docs. */
export function setupOpenApi(app: INestApplication, version: string): void {
  const description = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Ragstone')
    .setDescription(
      'Index documents, answer questions with checked citations. Errors are RFC 9457 problem+json.',
    )
    .setVersion(version)
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .build();
  SwaggerModule.setup('docs', app, () => completed(SwaggerModule.createDocument(app, description)), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Ragstone API',
  });
}

/** What decorators can't say: routes with two kinds of bodies, and that errors are problem+json. */
function completed(document: OpenAPIObject): OpenAPIObject {
  for (const [path, body] of Object.entries(indexRequestBodies)) {
    document.paths[path]!.post!.requestBody = body() as never;
  }
  for (const [name, path] of Object.entries(document.paths)) {
    if (isOpenAiRoute(name)) continue;
    for (const { responses } of [path.get, path.post, path.patch, path.delete].filter(
      (operation) => !!operation,
    )) {
      for (const [status, response] of Object.entries(responses)) {
        if (Number(status) < 400 || !response || !('content' in response)) continue;
        const json = response.content?.['application/json'];
        if (json) response.content = { 'application/problem+json': json };
      }
    }
  }
  return document;
}

import { z } from 'zod';
import { indexFormSchema, indexJsonSchema } from './index.schema.js';

/** POST /index takes two content types with different schemas, which no decorator can say. */
export function indexRequestBody() {
  return {
    required: true,
    content: {
      'application/json': { schema: jsonSchemaOf(indexJsonSchema) },
      'multipart/form-data': { schema: formSchema() },
    },
  };
}

function formSchema(): Record<string, unknown> {
  const { properties, ...schema } = jsonSchemaOf(indexFormSchema);
  const file = { type: 'string', contentMediaType: 'application/octet-stream' };
  return { ...schema, properties: { ...(properties as object), file }, required: ['file'] };
}

function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
}

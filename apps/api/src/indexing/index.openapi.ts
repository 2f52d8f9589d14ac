import { z } from 'zod';
import { batchFormSchema, batchJsonSchema, indexFormSchema, indexJsonSchema } from './index.schema.js';

const file = { type: 'string', contentMediaType: 'application/octet-stream' };

/** The routes that take two content types with different schemas, which no decorator can say. */
export const indexRequestBodies = {
  '/index': () => requestBody(indexJsonSchema, indexFormSchema, file),
  '/index/batch': () =>
    requestBody(batchJsonSchema, batchFormSchema, { type: 'array', items: file, minItems: 1 }),
};

function requestBody(json: z.ZodType, form: z.ZodType, fileField: object) {
  const { properties, ...schema } = jsonSchemaOf(form);
  const fields = { ...(properties as object), file: fileField };
  return {
    required: true,
    content: {
      'application/json': { schema: jsonSchemaOf(json) },
      'multipart/form-data': { schema: { ...schema, properties: fields, required: ['file'] } },
    },
  };
}

function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
}

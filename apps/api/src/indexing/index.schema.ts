import { z } from 'zod';
import { cleanText, collectionName } from '../text.schema.js';

const METADATA_BYTES_MAX = 16_384;
const BATCH_MAX = 1_000;

/** JSON writes both as escapes; jsonb takes neither. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/;

export const metadataSchema = z
  .record(z.string().max(200), z.unknown())
  .refine(
    (value) => JSON.stringify(value).length <= METADATA_BYTES_MAX,
    `must be at most ${METADATA_BYTES_MAX} bytes of JSON`,
  )
  .refine(
    (value) => !unstorable.test(JSON.stringify(value)),
    'must not contain NUL characters or lone surrogates',
  );

const priority = z
  .enum(['low', 'normal', 'high'])
  .default('normal')
  .meta({ description: 'Among waiting documents; equal ones of several collections take turns.' });

const ofDocument = {
  title: cleanText({ min: 1, max: 500 }).optional(),
  external_id: cleanText({ min: 1, max: 500 })
    .optional()
    .meta({ description: 'Names the document across versions: indexing it again replaces what was there.' }),
  metadata: metadataSchema.default({}),
};

const common = { ...ofDocument, collection: collectionName.default('default'), priority };

/** Text may be empty here: whether a document has content is for the job to say, as with files. */
const content = {
  text: z.string().optional().meta({ description: 'Plain text or Markdown.' }),
  file_path: z.string().min(1).max(4_096).optional().meta({ description: 'Below INDEX_ROOT.' }),
};

export const indexJsonSchema = z
  .strictObject({
    ...common,
    ...content,
    url: z.string().min(1).max(4_096).optional().meta({ description: 'http or https; fetched by the job.' }),
    refresh: z
      .string()
      .max(40)
      .optional()
      .meta({ description: 'With url: fetch it again every so often, such as PT6H (PT5M to P365D).' }),
    crawl: z
      .strictObject({
        from: z.enum(['links', 'sitemap']).default('links'),
        max_pages: z.number().int().min(1).optional(),
        max_depth: z.number().int().min(0).optional(),
      })
      .optional()
      .meta({ description: 'With url: also the pages of the same site that it links to, or its sitemap.' }),
  })
  .refine(
    ({ text, file_path, url }) => [text, file_path, url].filter((given) => given !== undefined).length === 1,
    'give one of text, file_path and url',
  )
  .refine(
    ({ url, refresh, crawl }) => url !== undefined || (refresh === undefined && crawl === undefined),
    'refresh and crawl go with url',
  )
  .refine(
    ({ refresh, crawl }) => refresh === undefined || crawl === undefined,
    'give refresh or crawl, not both',
  )
  .refine(
    ({ crawl, title, external_id }) =>
      crawl === undefined || (title === undefined && external_id === undefined),
    'the pages of a crawl have their own titles and ids',
  );

/** The fields beside the file of a form; metadata is JSON text there. */
export const indexFormSchema = z.strictObject({ ...common, metadata: jsonText(metadataSchema) });

export const batchJsonSchema = z
  .strictObject({
    collection: collectionName.default('default'),
    priority,
    documents: z
      .array(
        z
          .strictObject({ ...ofDocument, ...content })
          .refine(
            ({ text, file_path }) => (text === undefined) !== (file_path === undefined),
            'give either text or file_path',
          ),
      )
      .min(1)
      .max(BATCH_MAX),
  })
  .meta({ id: 'IndexBatch' });

export const batchFormSchema = z.strictObject({
  collection: collectionName.default('default'),
  priority,
  metadata: jsonText(metadataSchema).meta({ description: 'Of each of the files.' }),
});

export const BATCH_FILES_MAX = BATCH_MAX;

function jsonText(schema: typeof metadataSchema) {
  return z
    .string()
    .transform((json, context) => {
      try {
        return JSON.parse(json) as unknown;
      } catch {
        context.addIssue('must be a JSON object');
        return z.NEVER;
      }
    })
    .pipe(schema)
    .optional()
    .transform((value) => value ?? {});
}

export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

export const indexResponseSchema = z
  .object({
    message: z.string(),
    job_id: z.uuid().nullable().meta({ description: 'Null for a duplicate that is skipped.' }),
    document_id: z.uuid().nullable().meta({
      description: 'Null for an archive or a crawl, whose documents come with the jobs below job_id.',
    }),
    version: z.number().int().nullable().meta({ description: 'Null where the content is not known yet.' }),
    status: z.enum(['queued', 'unchanged', 'duplicate']),
    duplicate_of: z
      .uuid()
      .nullable()
      .meta({ description: 'Another document of the collection with the same content.' }),
  })
  .meta({ id: 'IndexResponse' });

export const batchResponseSchema = z
  .object({
    message: z.string(),
    job_id: z.uuid(),
    total: z.number().int().nullable(),
    status: z.literal('queued'),
  })
  .meta({ id: 'IndexBatchResponse' });

export type IndexResponse = z.infer<typeof indexResponseSchema>;
export type BatchResponse = z.infer<typeof batchResponseSchema>;

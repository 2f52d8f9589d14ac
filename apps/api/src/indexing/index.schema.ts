import { z } from 'zod';
import { cleanText, collectionName } from '../text.schema.js';

const METADATA_BYTES_MAX = 16_384;

/** JSON writes both as escapes; jsonb takes neither. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/;

const metadata = z
  .record(z.string().max(200), z.unknown())
  .refine(
    (value) => JSON.stringify(value).length <= METADATA_BYTES_MAX,
    `must be at most ${METADATA_BYTES_MAX} bytes of JSON`,
  )
  .refine(
    (value) => !unstorable.test(JSON.stringify(value)),
    'must not contain NUL characters or lone surrogates',
  );

const common = {
  title: cleanText({ min: 1, max: 500 }).optional(),
  collection: collectionName.default('default'),
  external_id: cleanText({ min: 1, max: 500 })
    .optional()
    .meta({ description: 'Names the document across versions: indexing it again replaces what was there.' }),
  metadata: metadata.default({}),
};

/** Text may be empty here: whether a document has content is for the job to say, as with files. */
export const indexJsonSchema = z
  .strictObject({
    ...common,
    text: z.string().optional().meta({ description: 'Plain text or Markdown.' }),
    file_path: z.string().min(1).max(4_096).optional().meta({ description: 'Below INDEX_ROOT.' }),
  })
  .refine(
    ({ text, file_path }) => (text === undefined) !== (file_path === undefined),
    'give either text or file_path',
  );

/** The fields beside the file of a form; metadata is JSON text there. */
export const indexFormSchema = z.strictObject({
  ...common,
  metadata: z
    .string()
    .transform((json, context) => {
      try {
        return JSON.parse(json) as unknown;
      } catch {
        context.addIssue('must be a JSON object');
        return z.NEVER;
      }
    })
    .pipe(metadata)
    .optional()
    .transform((value) => value ?? {}),
});

export const indexResponseSchema = z
  .object({
    message: z.string(),
    job_id: z.uuid(),
    document_id: z.uuid(),
    version: z.number().int(),
    status: z.enum(['queued', 'unchanged']),
  })
  .meta({ id: 'IndexResponse' });

export type IndexResponse = z.infer<typeof indexResponseSchema>;

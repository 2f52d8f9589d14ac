import { z } from 'zod';
import { scopes } from '#libs/access';
import { cleanText } from '../text.schema.js';

const OVERLAP_SECONDS_MAX = 30 * 24 * 3_600;

const scopeList = z
  .array(z.enum(scopes))
  .min(1)
  .max(scopes.length)
  .meta({ description: 'query: ask and read. index: change documents. admin: everything, keys too.' });

export const newKeySchema = z
  .strictObject({
    name: cleanText({ min: 1, max: 200 }).meta({ description: 'For people: who or what has the key.' }),
    scopes: scopeList,
    user_id: z
      .string()
      .regex(/^[\x21-\x7e][\x20-\x7e]{0,199}$/, 'must be 1 to 200 visible ASCII characters')
      .optional()
      .meta({ description: 'The one user the key stands for. Without, its holder says who by X-User-ID.' }),
    expires_at: z.iso
      .datetime({ offset: true })
      .refine((text) => Date.parse(text) > Date.now(), 'must be in the future')
      .optional(),
  })
  .meta({ id: 'NewKey' });

export const rotationSchema = z
  .strictObject({
    overlap_seconds: z
      .number()
      .int()
      .min(0)
      .max(OVERLAP_SECONDS_MAX)
      .default(86_400)
      .meta({ description: 'How long the old secret goes on.' }),
  })
  .meta({ id: 'KeyRotation' });

export const keySchema = z
  .object({
    key_id: z.uuid(),
    name: z.string(),
    scopes: scopeList,
    user_id: z.string().nullable(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable().meta({ description: 'At most a minute behind.' }),
    secrets: z
      .array(
        z.object({
          prefix: z.string().meta({ description: 'How the key begins.' }),
          created_at: z.iso.datetime(),
          expires_at: z.iso.datetime().nullable(),
          last_used_at: z.iso.datetime().nullable(),
        }),
      )
      .meta({ description: 'More than one while a secret is being replaced.' }),
  })
  .meta({ id: 'Key' });

export const issuedKeySchema = keySchema
  .extend({ key: z.string().meta({ description: 'Shown this once, and kept nowhere.' }) })
  .meta({ id: 'IssuedKey' });

export const keyListSchema = z.object({ keys: z.array(keySchema) }).meta({ id: 'KeyList' });

export type NewKeyRequest = z.infer<typeof newKeySchema>;
export type Rotation = z.infer<typeof rotationSchema>;
export type KeyView = z.infer<typeof keySchema>;
export type IssuedKeyView = z.infer<typeof issuedKeySchema>;
export type KeyList = z.infer<typeof keyListSchema>;

import { z } from 'zod';
import { cleanText, userId } from '../text.schema.js';

export const conversationRequestSchema = z
  .strictObject({
    title: cleanText({ min: 1, max: 200 }).default('Conversation'),
    user_id: userId
      .optional()
      .meta({ description: 'The one who may read it. Unset: everybody of the tenant.' }),
  })
  .meta({ id: 'ConversationRequest' });

export const conversationListQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  before: z.uuid().optional(),
  user_id: userId.optional(),
});

export const conversationQuerySchema = z.strictObject({ user_id: userId.optional() });

export const conversationSchema = z
  .object({
    id: z.uuid(),
    user_id: z.string().nullable(),
    title: z.string(),
    message_count: z.number().int(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Conversation' });

const messageSchema = z
  .object({
    role: z.enum(['user', 'assistant']),
    content: z.string(),
    request_id: z.string(),
    status: z.enum(['answered', 'no_evidence', 'degraded']).optional(),
    model: z.string().optional(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Message' });

export const conversationWithMessagesSchema = conversationSchema
  .extend({
    summary: z.string().meta({ description: 'Of what is too old to be told word for word.' }),
    messages: z.array(messageSchema),
  })
  .meta({ id: 'ConversationWithMessages' });

export const conversationListSchema = z
  .object({ conversations: z.array(conversationSchema), next_before: z.uuid().nullable() })
  .meta({ id: 'ConversationList' });

export type ConversationRequest = z.infer<typeof conversationRequestSchema>;
export type ConversationListQuery = z.infer<typeof conversationListQuerySchema>;
export type ConversationQuery = z.infer<typeof conversationQuerySchema>;
export type ConversationView = z.infer<typeof conversationSchema>;
export type ConversationWithMessages = z.infer<typeof conversationWithMessagesSchema>;
export type ConversationList = z.infer<typeof conversationListSchema>;

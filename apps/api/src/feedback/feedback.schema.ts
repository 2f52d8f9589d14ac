import { z } from 'zod';
import { cleanText } from '../text.schema.js';

export const feedbackRequestSchema = z
  .strictObject({
    thumb: z.enum(['up', 'down']),
    comment: cleanText({ min: 1, max: 4_000 }).optional(),
  })
  .meta({ id: 'FeedbackRequest' });

export const feedbackResponseSchema = z
  .object({
    request_id: z.string(),
    thumb: z.enum(['up', 'down']),
    comment: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Feedback' });

export const requestIdSchema = z.string().regex(/^[\w.-]{1,64}$/, 'must be the request_id of an answer');

export type FeedbackRequest = z.infer<typeof feedbackRequestSchema>;
export type FeedbackResponse = z.infer<typeof feedbackResponseSchema>;

import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { ragErrorCodes } from '#libs/errors';
import type { Problem } from '../problem/problem.schema.js';

export const openAiErrorSchema = z
  .object({
    error: z.object({
      message: z.string().meta({ description: 'What is wrong and what to do.' }),
      type: z.string(),
      param: z.string().nullable(),
      code: z.enum(ragErrorCodes),
    }),
  })
  .meta({ id: 'OpenAiError' });

const typeByStatus: Record<number, string> = {
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

export function isOpenAiRoute(url: string): boolean {
  return url.startsWith('/v1/');
}

/** https://platform.openai.com/docs/guides/error-codes; the codes are ours. */
export function presentOpenAiError({
  status,
  detail,
  code,
  errors,
}: Problem): z.infer<typeof openAiErrorSchema> {
  const type = typeByStatus[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return { error: { message: detail, type, param: errors?.[0]?.path ?? null, code } };
}

/** Documents the errors of a route. */
export function OpenAiErrors(...statuses: number[]): MethodDecorator {
  return applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({ status, standardSchema: openAiErrorSchema, description: 'As OpenAI says it' }),
    ),
  );
}

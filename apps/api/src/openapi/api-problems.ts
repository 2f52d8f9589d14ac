import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { problemSchema } from '../problem/problem.schema.js';

export const problemReasons: Record<number, string> = {
  400: 'The body is not JSON',
  402: 'A budget has no room for it; `resets_at` says until when',
  401: 'No API key or token, or one that is not valid',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Not possible in the present state; the text says why',
  410: 'No longer kept; ask again',
  413: 'Too large',
  415: 'Not a supported type',
  422: 'Not valid; `errors` names the fields',
  429: 'Too much at the moment; Retry-After says when to try again',
  503: 'A model or the database does not answer; Retry-After says when to try again',
  504: 'Not there within the deadline',
  507: 'No disk space for the upload',
};

/** Documents the problem+json answers of a route. */
export function ApiProblems(...statuses: number[]): MethodDecorator {
  return applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({ status, standardSchema: problemSchema, description: problemReasons[status]! }),
    ),
  );
}

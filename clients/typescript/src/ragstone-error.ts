import type { components } from './schema.js';

export type Problem = components['schemas']['Problem'];

/** What the service answered instead of doing it: RFC 9457, with a code for programs. */
export class RagstoneError extends Error {
  override readonly name = 'RagstoneError';

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  get code(): Problem['code'] {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }
}

/** An answer that is no problem+json comes from something between. */
export async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as Problem & { error?: { message: string; code: Problem['code'] } };
    if (body.error) return problemFrom(response, body.error.message, body.error.code);
    if (typeof body.detail === 'string') return body;
  } catch {
    // below
  }
  return problemFrom(
    response,
    `The service answered ${response.status}: ${text.slice(0, 200)}`,
    'internal_error',
  );
}

function problemFrom(response: Response, detail: string, code: Problem['code']): Problem {
  return {
    type: `urn:ragstone:problem:${code}`,
    title: code.replaceAll('_', ' '),
    status: response.status,
    detail,
    code,
    request_id: response.headers.get('x-request-id') ?? '',
  };
}

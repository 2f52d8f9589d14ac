import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { RagErrorCode } from '#libs/errors';
import { isOpenAiRoute, presentOpenAiError } from '../openai/openai-error.js';
import { httpStatusByCode } from './http-status.js';
import type { Problem } from './problem.schema.js';

interface ParseFailure extends Error {
  code?: string;
}

interface Answer {
  code: RagErrorCode;
  detail: string;
}

const failures: Record<string, Answer> = {
  HPE_HEADER_OVERFLOW: {
    code: 'headers_too_large',
    detail: 'The headers have more than 16 KiB. Send fewer.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: 'request_timeout',
    detail: 'The request did not come in time. Send it again.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'url_too_long',
    detail: 'A part of the path is longer than any id or name.',
  },
  FST_ERR_BAD_URL: { code: 'invalid_http', detail: 'The path is not valid: check its percent encoding.' },
};
const notHttp: Answer = { code: 'invalid_http', detail: 'This is not a request in HTTP/1.1.' };

/** What is not even HTTP has no request and no reply, and gets a problem all the same. */
export function answerClientError(error: ParseFailure, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error, randomUUID());
  const { status } = problem;
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** A path that the router does not even look at reaches no filter. */
export function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error, request.id);
  const isOpenAi = isOpenAiRoute(request.url);
  reply.raw.writeHead(problem.status, {
    'content-type': isOpenAi ? 'application/json; charset=utf-8' : 'application/problem+json',
    'x-request-id': request.id,
  });
  reply.raw.end(JSON.stringify(isOpenAi ? presentOpenAiError(problem) : problem));
}

function problemOf({ code: failure = '' }: ParseFailure, requestId: string): Problem {
  const { code, detail } = failures[failure] ?? notHttp;
  return {
    type: `urn:ragstone:problem:${code}`,
    title: code.replaceAll('_', ' '),
    status: httpStatusByCode[code],
    detail,
    code,
    request_id: requestId,
  };
}

import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { RagErrorCode } from '#libs/errors';
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
  const { status, body } = problemOf(error, randomUUID());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** A path that the router does not even look at reaches no filter. */
export function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = problemOf(error, request.id);
  reply.raw.writeHead(status, { 'content-type': 'application/problem+json', 'x-request-id': request.id });
  reply.raw.end(body);
}

function problemOf({ code: failure = '' }: ParseFailure, requestId: string) {
  const { code, detail } = failures[failure] ?? notHttp;
  const status = httpStatusByCode[code];
  const type = `urn:ragstone:problem:${code}`;
  const problem: Problem = {
    type,
    title: code.replaceAll('_', ' '),
    status,
    detail,
    code,
    request_id: requestId,
  };
  return { status, body: JSON.stringify(problem) };
}

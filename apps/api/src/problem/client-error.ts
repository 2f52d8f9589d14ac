import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { RagErrorCode } from '#libs/errors';
import { httpStatusByCode } from './http-status.js';
import type { Problem } from './problem.schema.js';

interface ParseFailure extends Error {
  code?: string;
}

const failures: Record<string, { code: RagErrorCode; detail: string }> = {
  HPE_HEADER_OVERFLOW: {
    code: 'headers_too_large',
    detail: 'The headers have more than 16 KiB. Send fewer.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: 'request_timeout',
    detail: 'The request did not come in time. Send it again.',
  },
};

/** What is not even HTTP has no request and no reply, and gets a problem all the same. */
export function answerClientError(error: ParseFailure, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { code, detail } = failures[error.code ?? ''] ?? {
    code: 'invalid_http' as const,
    detail: 'This is not a request in HTTP/1.1.',
  };
  const status = httpStatusByCode[code];
  const problem: Problem = {
    type: `urn:ragstone:problem:${code}`,
    title: code.replaceAll('_', ' '),
    status,
    detail,
    code,
    request_id: randomUUID(),
  };
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

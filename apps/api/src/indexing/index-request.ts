import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { RagError } from '#libs/errors';
import type { IndexRequest } from '#libs/indexing';
import { parseWith, validationError } from '../problem/validation.js';
import { indexFormSchema, indexJsonSchema } from './index.schema.js';

/** POST /index takes a form with one file, or JSON. @throws {RagError} invalid_request, payload_too_large */
export async function readIndexRequest(request: FastifyRequest): Promise<IndexRequest> {
  return request.isMultipart() ? readForm(request) : readJson(request.body);
}

function readJson(body: unknown): IndexRequest {
  const {
    text,
    file_path: path,
    title,
    collection,
    external_id,
    metadata,
  } = parseWith(indexJsonSchema, body);
  return {
    source: text === undefined ? { kind: 'file', path: path! } : { kind: 'text', text },
    title: title ?? null,
    collection,
    externalId: external_id ?? null,
    metadata,
  };
}

/** The upload is written to a temporary file first, so that slow clients cost no memory; it goes with the request. */
async function readForm(request: FastifyRequest): Promise<IndexRequest> {
  const { files, values } = await request.saveRequestFiles().catch((error: unknown) => {
    throw explainUpload(error);
  });
  const [file, second] = files;
  if (!file || second) {
    throw validationError([
      { path: ['file'], message: `send one file in the form field "file" (there are ${files.length})` },
    ]);
  }
  const fields = Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => name !== file.fieldname)
      .map(([name, field]) => [name, fieldValue(field)]),
  );
  const { title, collection, external_id, metadata } = parseWith(indexFormSchema, fields);
  return {
    source: {
      kind: 'upload',
      bytes: await readFile(file.filepath),
      filename: basename(file.filename).replaceAll('\0', '').toWellFormed() || null,
      declaredMediaType: file.mimetype || null,
    },
    title: title ?? null,
    collection,
    externalId: external_id ?? null,
    metadata,
  };
}

function fieldValue(field: unknown): unknown {
  return field !== null && typeof field === 'object' && 'value' in field ? field.value : field;
}

function explainUpload(error: unknown): unknown {
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return new RagError(
      'payload_too_large',
      'The file is larger than INDEX_BYTES_MAX allows. Split it, or raise that limit.',
    );
  }
  if (statusCode === 413)
    return new RagError(
      'payload_too_large',
      'The form has too many or too large parts. Send one file and a few short fields.',
    );
  const { message = '' } = error as { message?: string };
  if (/unexpected end|premature close|aborted|multipart|boundary/i.test(`${code} ${message}`)) {
    return validationError([
      { path: ['file'], message: 'the form could not be read to its end: was the upload cut off?' },
    ]);
  }
  return error;
}

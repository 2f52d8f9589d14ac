import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { finished } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { JobPriority } from '#libs/corpus';
import { RagError } from '#libs/errors';
import type { DocumentSource, IndexRequest } from '#libs/indexing';
import { parseWith, validationError } from '../problem/validation.js';
import {
  BATCH_FILES_MAX,
  batchFormSchema,
  batchJsonSchema,
  idempotencyKeySchema,
  indexFormSchema,
  indexJsonSchema,
} from './index.schema.js';

/** Of what is around the files of a batch. */
const FORM_BYTES_MAX = 2 * 1024 * 1024;

type Upload = Extract<DocumentSource, { kind: 'upload' }>;

/** What POST /index may be sent. */
const DROP_REST_MS_MAX = 5_000;

export type IndexOrder =
  | { kind: 'document'; request: IndexRequest }
  | { kind: 'url'; body: z.infer<typeof indexJsonSchema> & { url: string } };

export interface BatchOrder {
  collection: string;
  documents: Omit<IndexRequest, 'collection'>[];
}

/** A form with one file, or JSON. @throws {RagError} invalid_request, payload_too_large */
export async function readIndexRequest(request: FastifyRequest): Promise<IndexOrder> {
  if (!request.isMultipart()) return readJson(request.body);
  const { files, fields } = await readForm(request, 1);
  const [source] = files;
  if (!source) throw validationError([{ path: ['file'], message: 'send one file in the form field "file"' }]);
  const { title, collection, external_id, metadata, priority } = parseWith(indexFormSchema, fields);
  return {
    kind: 'document',
    request: {
      source,
      title: title ?? null,
      collection,
      externalId: external_id ?? null,
      metadata,
      priority: priorityOf(priority),
    },
  };
}

/**
 * A form with many files, or JSON. Files are named with their folders.
 * @param bytesMax of all files together
 * @throws {RagError} invalid_request, payload_too_large
 */
export async function readBatchRequest(request: FastifyRequest, bytesMax: number): Promise<BatchOrder> {
  if (request.isMultipart()) {
    assertBatchBytes(Number(request.headers['content-length'] ?? 0) - FORM_BYTES_MAX, bytesMax);
    const { files, fields } = await readForm(request, BATCH_FILES_MAX, { bytesMax, preservePath: true });
    const { collection, metadata, priority } = parseWith(batchFormSchema, fields);
    if (files.length === 0) throw validationError([{ path: ['file'], message: 'send at least one file' }]);
    return {
      collection,
      documents: files.map((source) => ({
        source,
        title: null,
        externalId: source.filename && `upload:${source.filename}`,
        metadata,
        priority: priorityOf(priority),
      })),
    };
  }
  const { collection, priority, documents } = parseWith(batchJsonSchema, request.body);
  return {
    collection,
    documents: documents.map(({ text, file_path, title, external_id, metadata }) => ({
      source: text === undefined ? { kind: 'file', path: file_path! } : { kind: 'text', text },
      title: title ?? null,
      externalId: external_id ?? null,
      metadata,
      priority: priorityOf(priority),
    })),
  };
}

/** @throws {RagError} invalid_request */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  return key === undefined ? null : parseWith(idempotencyKeySchema, key);
}

export function priorityOf(name: 'low' | 'normal' | 'high'): JobPriority {
  return ({ low: -1, normal: 0, high: 1 } as const)[name];
}

function readJson(body: unknown): IndexOrder {
  const order = parseWith(indexJsonSchema, body);
  const { text, file_path: path, url, title, collection, external_id, metadata, priority } = order;
  if (url !== undefined) return { kind: 'url', body: { ...order, url } };
  return {
    kind: 'document',
    request: {
      source: text === undefined ? { kind: 'file', path: path! } : { kind: 'text', text },
      title: title ?? null,
      collection,
      externalId: external_id ?? null,
      metadata,
      priority: priorityOf(priority),
    },
  };
}

/** Uploads are written to temporary files first, so that slow clients cost no memory; these go with the request. */
async function readForm(
  request: FastifyRequest,
  filesMax: number,
  { bytesMax = Number.POSITIVE_INFINITY, preservePath = false } = {},
): Promise<{ files: Upload[]; fields: Record<string, unknown> }> {
  const limits = { files: filesMax + 1, parts: filesMax + 30 };
  const { files, values } = await request
    .saveRequestFiles({ limits, preservePath })
    .catch(async (error: unknown) => {
      await dropRest(request);
      throw explainUpload(error);
    });
  if (files.length > filesMax) {
    throw validationError([
      { path: ['file'], message: `send ${filesMax === 1 ? 'one file' : `at most ${filesMax} files`}` },
    ]);
  }
  const names = new Set(files.map(({ fieldname }) => fieldname));
  const fields = Object.entries(values).filter(([name]) => !names.has(name));
  const sizes = await Promise.all(files.map(({ filepath }) => stat(filepath)));
  assertBatchBytes(
    sizes.reduce((sum, { size }) => sum + size, 0),
    bytesMax,
  );
  const uploads: Upload[] = [];
  for (const file of files) {
    const name = preservePath ? file.filename : basename(file.filename);
    uploads.push({
      kind: 'upload',
      bytes: await readFile(file.filepath),
      filename: name.replaceAll('\0', '').toWellFormed() || null,
      declaredMediaType: file.mimetype || null,
    });
  }
  return {
    files: uploads,
    fields: Object.fromEntries(fields.map(([name, field]) => [name, fieldValue(field)])),
  };
}

function assertBatchBytes(byteCount: number, bytesMax: number): void {
  if (byteCount <= bytesMax) return;
  throw new RagError(
    'payload_too_large',
    `The files have more than ${bytesMax} bytes together. Send them in several batches.`,
  );
}

/** Reads on, into nothing, for a while: a client that still sends would see a cut connection instead of the answer. */
async function dropRest({ raw }: FastifyRequest): Promise<void> {
  if (raw.complete || raw.destroyed) return;
  raw.unpipe();
  raw.resume();
  await finished(raw, { signal: AbortSignal.timeout(DROP_REST_MS_MAX) }).catch(() => undefined);
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
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code ?? '')) {
    return new RagError(
      'upload_space_full',
      'The disk for uploads on their way in is full (TMPDIR of the api). Free some space there, then send this again.',
      { cause: error, retryable: true },
    );
  }
  if (statusCode === 413)
    return new RagError(
      'payload_too_large',
      'The form has too many or too large parts. Send fewer files and a few short fields.',
    );
  const { message = '' } = error as { message?: string };
  if (/unexpected end|premature close|aborted|multipart|boundary/i.test(`${code} ${message}`)) {
    return validationError([
      { path: ['file'], message: 'the form could not be read to its end: was the upload cut off?' },
    ]);
  }
  return error;
}

import { RagError } from '#libs/errors';
import { detectMediaType } from './parse/index.js';
import type { RootFolder } from './root-folder.js';

export type DocumentSource =
  | { kind: 'text'; text: string }
  | { kind: 'upload'; bytes: Buffer; filename: string | null; declaredMediaType: string | null }
  /** A path below the configured root folder. */
  | { kind: 'file'; path: string };

export interface SourceContent {
  bytes: Buffer;
  mediaType: string;
  filename: string | null;
  /** Names the source across versions where it has a natural name. */
  externalId: string | null;
}

/** Bytes with what their sender says of them. @throws {RagError} unsupported_media_type */
export async function uploadedContent({
  bytes,
  filename,
  declaredMediaType,
}: {
  bytes: Buffer;
  filename: string | null;
  declaredMediaType?: string | null;
}): Promise<SourceContent> {
  const mediaType = await detectMediaType({
    bytes,
    ...(filename && { filename }),
    ...(declaredMediaType && { declaredMediaType }),
  });
  return { bytes, mediaType, filename, externalId: null };
}

/** Brings a source to bytes of a known type. */
export class DocumentSourceReader {
  constructor(
    private readonly root: RootFolder,
    private readonly bytesMax: number,
  ) {}

  /** @throws {RagError} path_not_allowed, file_not_found, payload_too_large, unsupported_media_type, document_empty */
  async read(source: DocumentSource): Promise<SourceContent> {
    switch (source.kind) {
      case 'text': {
        const bytes = Buffer.from(source.text);
        this.assertSize(bytes.length);
        return { bytes, mediaType: 'text/markdown', filename: null, externalId: null };
      }
      case 'upload': {
        this.assertSize(source.bytes.length);
        return uploadedContent(source);
      }
      case 'file': {
        const { bytes, relativePath } = await this.root.read(source.path, this.bytesMax);
        const mediaType = await detectMediaType({ bytes, filename: relativePath });
        return { bytes, mediaType, filename: relativePath, externalId: `file:${relativePath}` };
      }
    }
  }

  private assertSize(byteCount: number): void {
    if (byteCount <= this.bytesMax) return;
    throw new RagError(
      'payload_too_large',
      `The document has ${byteCount} bytes; at most ${this.bytesMax} are taken. Split it, or raise INDEX_BYTES_MAX.`,
    );
  }
}

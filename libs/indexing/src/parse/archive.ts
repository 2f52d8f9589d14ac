import { RagError } from '#libs/errors';

export type ArchiveMember = { path: string; bytes: Uint8Array } | { path: string; refused: RagError };

export async function* openArchive(
  _bytes: Uint8Array,
  _limits: { totalBytesMax: number },
): AsyncGenerator<ArchiveMember> {
  throw new RagError('document_damaged', 'placeholder');
}

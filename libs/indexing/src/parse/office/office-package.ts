import { posix } from 'node:path';
import { damagedZip, type ZipMember } from '../zip/zip-directory.js';
import { officeLimits } from '../zip/office-type.js';
import { ZipPackage } from '../zip/zip-package.js';
import { readXml } from './read-xml.js';

/** The parts of a document that is packed as a ZIP. Paths have no leading slash. */
export class OfficePackage {
  private constructor(
    private readonly zip: ZipPackage,
    private readonly members: ReadonlyMap<string, ZipMember>,
  ) {}

  /** @throws {RagError} document_damaged, document_too_large, document_unsafe */
  static async open(bytes: Uint8Array): Promise<OfficePackage> {
    const zip = await ZipPackage.open(bytes, officeLimits);
    const members = new Map(zip.members.map((member) => [member.path.replace(/^\/+/, ''), member]));
    return new OfficePackage(zip, members);
  }

  get paths(): string[] {
    return [...this.members.keys()];
  }

  /** Null when there is no such part. @throws {RagError} document_damaged, document_encrypted */
  async read(path: string): Promise<Uint8Array | null> {
    const member = this.members.get(path) ?? this.findIgnoringCase(path);
    return member ? this.zip.read(member) : null;
  }

  /** @throws {RagError} document_damaged also when there is no such part */
  async readRequired(path: string): Promise<Uint8Array> {
    const bytes = await this.read(path);
    if (!bytes) throw damagedZip(new Error(`${path} is missing`));
    return bytes;
  }

  /** What a part refers to: id to type (the last word of its URI) and path. Targets outside of the file are left out. */
  async relationshipsOf(path: string): Promise<Map<string, { type: string; path: string }>> {
    const relationships = new Map<string, { type: string; path: string }>();
    const { dir, base } = posix.parse(path);
    const bytes = await this.read(posix.join(dir, '_rels', `${base}.rels`));
    if (!bytes) return relationships;
    readXml(bytes, {
      open(name, { Id: id, Type: type, Target: target, TargetMode: mode }) {
        if (name !== 'Relationship' || !id || !target || mode === 'External') return;
        const absolute = target.startsWith('/') ? target.slice(1) : posix.join(dir, target);
        relationships.set(id, { type: type?.split('/').at(-1) ?? '', path: absolute });
      },
    });
    return relationships;
  }

  private findIgnoringCase(path: string): ZipMember | undefined {
    const wanted = path.toLowerCase();
    for (const [known, member] of this.members) if (known.toLowerCase() === wanted) return member;
    return undefined;
  }
}

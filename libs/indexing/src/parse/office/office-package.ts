import { posix } from 'node:path';
import { damagedZip, type ZipMember } from '../zip/zip-directory.js';
import { officeLimits } from '../zip/office-type.js';
import { ZipPackage } from '../zip/zip-package.js';
import { readXml } from './read-xml.js';

interface Relationship {
  id: string;
  /** A URI. */
  type: string;
  target: string;
  isExternal: boolean;
}

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

  has(path: string): boolean {
    return this.members.has(path) || this.findIgnoringCase(path) !== undefined;
  }

  /** Null when there is no such part. @throws {RagError} document_damaged, document_encrypted */
  async read(path: string): Promise<Uint8Array | null> {
    const member = this.members.get(path) ?? this.findIgnoringCase(path);
    return member ? this.zip.read(member) : null;
  }

  /** A part that may be long. @throws {RagError} document_damaged also when there is no such part, document_encrypted */
  stream(path: string): AsyncGenerator<Uint8Array, void> {
    const member = this.members.get(path) ?? this.findIgnoringCase(path);
    if (!member) throw damagedZip(new Error(`${path} is missing`));
    return this.zip.stream(member);
  }

  /** @throws {RagError} document_damaged also when there is no such part */
  async readRequired(path: string): Promise<Uint8Array> {
    const bytes = await this.read(path);
    if (!bytes) throw damagedZip(new Error(`${path} is missing`));
    return bytes;
  }

  /**
   * The parts that a part refers to: id to type (the last word of its URI) and path.
   * @param path empty for the file as a whole
   */
  async relationshipsOf(path: string): Promise<Map<string, { type: string; path: string }>> {
    const { dir } = posix.parse(path);
    const relationships = new Map<string, { type: string; path: string }>();
    for (const { id, type, target, isExternal } of await this.readRelationships(path)) {
      if (isExternal) continue;
      const absolute = target.startsWith('/') ? target.slice(1) : posix.join(dir, target);
      relationships.set(id, { type: type.split('/').at(-1)!, path: absolute });
    }
    return relationships;
  }

  /** Addresses outside of the file that a part refers to, by id. They are never fetched. */
  async linksOf(path: string): Promise<Map<string, string>> {
    const all = await this.readRelationships(path);
    return new Map(all.filter(({ isExternal }) => isExternal).map(({ id, target }) => [id, target]));
  }

  private async readRelationships(path: string): Promise<Relationship[]> {
    const { dir, base } = posix.parse(path);
    const relationships: Relationship[] = [];
    const bytes = await this.read(posix.join(dir, '_rels', `${base}.rels`));
    if (!bytes) return relationships;
    readXml(bytes, {
      open(name, { Id: id, Type: type, Target: target, TargetMode: mode }) {
        if (name !== 'Relationship' || !id || !target) return;
        relationships.push({ id, type: type ?? '', target, isExternal: mode === 'External' });
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

import { randomBytes } from 'node:crypto';

/**
 * A UUID of version 7 (RFC 9562): it begins with the time, so that the log of questions grows at one end of its indexes, and
 * whoever gets an id knows how old it is.
 */
export function newRequestId(now = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const version7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** When an id was made; null: it does not say, since a client chose it. */
export function timeOfRequestId(id: string): number | null {
  const found = version7.exec(id);
  return found && Number.parseInt(found[1]! + found[2]!, 16);
}

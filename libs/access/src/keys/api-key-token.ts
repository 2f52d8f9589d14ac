import { createHash, randomInt, timingSafeEqual } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PUBLIC_CHARACTERS = 12;
/** 62^43 is more than 2^256. */
const SECRET_CHARACTERS = 43;

const pattern = new RegExp(`^rs_([0-9A-Za-z]{${PUBLIC_CHARACTERS}})_([0-9A-Za-z]{${SECRET_CHARACTERS}})$`);

export interface ApiKeyToken {
  /** May be shown and logged. */
  publicId: string;
  secret: string;
}

/** rs_<public>_<secret>: the prefix lets secret scanners find it, no character needs escaping anywhere. */
export function newApiKeyToken(): ApiKeyToken {
  return { publicId: randomText(PUBLIC_CHARACTERS), secret: randomText(SECRET_CHARACTERS) };
}

export function writeApiKey({ publicId, secret }: ApiKeyToken): string {
  return `rs_${publicId}_${secret}`;
}

/** Null: not of this form. */
export function parseApiKey(text: string): ApiKeyToken | null {
  const [, publicId, secret] = pattern.exec(text) ?? [];
  return publicId && secret ? { publicId, secret } : null;
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Takes as long for a wrong secret as for the right one. */
export function isSecret(secret: string, sha256: Buffer): boolean {
  return timingSafeEqual(hashSecret(secret), sha256);
}

/** Each character by itself, from the system's random numbers, none more likely than another. */
function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]!).join('');
}

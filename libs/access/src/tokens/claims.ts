import { isScope, type Scope } from '../caller.js';

/** A claim by its name, which may be a URL, or by a path: "realm_access.roles". */
export function readClaim(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** Of a list, or of a text with spaces as in RFC 8693; only those with the prefix, and only those there are. */
export function readScopes(claim: unknown, prefix: string): Scope[] {
  const names: unknown[] = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return names.flatMap((name) => {
    if (typeof name !== 'string' || !name.startsWith(prefix)) return [];
    const scope = name.slice(prefix.length);
    return isScope(scope) ? [scope] : [];
  });
}

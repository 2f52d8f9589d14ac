export const scopes = ['query', 'index', 'admin'] as const;

/** query: ask and read. index: change documents and collections. admin: both, and keys, money, models. */
export type Scope = (typeof scopes)[number];

/** Who sends a request, and what it may do. */
export interface Caller {
  tenantId: string;
  /** The API key that came with it; pays for models. Null: a token, or a service that asks for no key. */
  keyId: string | null;
  /** The user that the key or the token stands for. Null: the caller may say for whom it asks. */
  userId: string | null;
  scopes: ReadonlySet<Scope>;
}

export function isScope(name: string): name is Scope {
  return (scopes as readonly string[]).includes(name);
}

/** One of the wanted scopes is enough, and admin is enough for everything. */
export function mayDo(caller: Caller, wanted: readonly Scope[]): boolean {
  return caller.scopes.has('admin') || wanted.some((scope) => caller.scopes.has(scope));
}

/** Stays the same over requests: names limits and idempotency keys. */
export function callerName({ tenantId, keyId, userId }: Caller): string {
  return [tenantId, keyId ?? '', userId ?? ''].join('/');
}

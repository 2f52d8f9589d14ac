import { AsyncLocalStorage } from 'node:async_hooks';
import type { Scope } from '#libs/access';
import { RagError } from '#libs/errors';
import type { Asker } from '../access/request-caller.js';

/** Who uses the tools. Null: whoever started `ragstone mcp`, who may do everything. */
export type McpAsker = Asker & { scopes: ReadonlySet<Scope> };

const current = new AsyncLocalStorage<McpAsker>();

export function asAsker<T>(asker: McpAsker, work: () => T): T {
  return current.run(asker, work);
}

export function currentAsker(): Asker {
  return current.getStore() ?? { keyId: null, userId: null };
}

/** One route has all tools: each sees to its scope. @throws {RagError} scope_missing */
export function assertScope(scope: Scope): void {
  const scopes = current.getStore()?.scopes;
  if (!scopes || scopes.has('admin') || scopes.has(scope)) return;
  throw new RagError(
    'scope_missing',
    `This tool needs the scope ${scope}, which this key or token does not have.`,
    { details: { scopes: [scope] } },
  );
}

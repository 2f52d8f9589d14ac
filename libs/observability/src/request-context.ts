import { AsyncLocalStorage } from 'node:async_hooks';

/** One request on its way through this process. */
export interface RequestContext {
  requestId: string;
  /** Fields of its log line. Never document text, prompts or keys. */
  notes: Record<string, unknown>;
}

const current = new AsyncLocalStorage<RequestContext>();

/** Everything that `work` awaits belongs to the request. */
export function runInRequest<T>(context: RequestContext, work: () => T): T {
  return current.run(context, work);
}

/** Adds fields to the log line of the request that is being served; outside of one it does nothing. */
export function noteOnRequest(fields: Record<string, unknown>): void {
  const context = current.getStore();
  if (context) Object.assign(context.notes, fields);
}

export function currentRequestId(): string | undefined {
  return current.getStore()?.requestId;
}

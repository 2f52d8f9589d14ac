import type { z } from 'zod';
import type { Asker } from '../access/request-caller.js';

export interface RunContext extends Asker {
  /** Names the answer in the ledger. */
  runId: string;
  signal: AbortSignal;
  deadlineAt: number;
}

/** What LangServe calls a runnable. */
export interface ServedChain<Input = unknown> {
  readonly name: string;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType;
  invoke(input: Input, run: RunContext): Promise<object>;
  /** Chunks that add up to what `invoke` gives: text is appended, other fields are set. */
  stream(input: Input, run: RunContext): AsyncGenerator<object, void>;
}

import type { OpenBudget } from './budgets.js';
import type { ModelCall } from './model-call.js';

export interface PlannedCall {
  id: string;
  model: string;
  provider: string;
  keyId: string | null;
  /** The most it can cost. */
  microUsd: number;
  timeoutMs: number;
}

/** Books what models cost. */
export abstract class Ledger {
  /** The budgets that would pay; empty: nothing needs to be reserved, or counted for it. */
  abstract budgetsOf(call: { keyId: string | null; model: string }): OpenBudget[];

  /** Before a call. @returns the budget that has no room, or null */
  abstract reserve(call: PlannedCall, budgets: readonly OpenBudget[]): Promise<OpenBudget | null>;

  /** Gives back what a call reserved that was never made. */
  abstract release(callId: string): Promise<void>;

  /** After each attempt. Resolves once the row is written, or kept to be written when the database is back. */
  abstract record(call: ModelCall): Promise<void>;
}

/** Where there is no database: `ragstone models check`, benchmarks. */
export class NoLedger extends Ledger {
  budgetsOf(): OpenBudget[] {
    return [];
  }

  reserve(): Promise<null> {
    return Promise.resolve(null);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  record(): Promise<void> {
    return Promise.resolve();
  }
}

import { Logger } from '@nestjs/common';
import type { BudgetConfig } from '#libs/config';
import { currentTenant, runAsTenant } from '#libs/database';
import { isRagError, RagError } from '#libs/errors';
import { budgetsOf, type OpenBudget } from './budgets.js';
import { Ledger, type PlannedCall } from './ledger.js';
import type { ModelCall } from './model-call.js';
import type { ModelCallRepository, SettledCall } from './model-call.repository.js';

interface Waiting {
  call: SettledCall;
  resolve: () => void;
}

const ROWS_PER_STATEMENT = 500;
/** Beyond, no paid call begins: what was spent must not be forgotten. */
const ROWS_WAITING_MAX = 20_000;
const RETRY_MS = 500;
const LOST_CHECK_MS = 60_000;
/** After a call's own time limit. */
const GRACE_MS = 10 * 60_000;
const CLOSE_TRIES_MAX = 6;

/**
 * The ledger in the database. Attempts that end while a statement runs go together in the next one: 30,000 rows take 60
 * statements under load, and a lone one waits for nothing.
 */
export class DatabaseLedger extends Ledger {
  private readonly logger = new Logger(DatabaseLedger.name);
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly lostCheckedAt = new Map<string, number>();
  private rowsWaiting = 0;
  private writing: Promise<void> | null = null;

  constructor(
    private readonly repository: ModelCallRepository,
    private readonly budgets: readonly BudgetConfig[],
  ) {
    super();
  }

  budgetsOf(call: { keyId: string | null; model: string }): OpenBudget[] {
    return this.budgets.length === 0 ? [] : budgetsOf(this.budgets, { ...call, tenantId: currentTenant() });
  }

  async reserve(call: PlannedCall, budgets: readonly OpenBudget[]): Promise<OpenBudget | null> {
    if (this.rowsWaiting > ROWS_WAITING_MAX) {
      throw new RagError(
        'model_unavailable',
        'The database has not taken the last calls into the ledger, so no further call may cost money. Check the database.',
        { retryable: true },
      );
    }
    if (budgets.length === 0 || call.microUsd === 0) return null;
    await this.bookLost();
    const { id: callId, model, provider, keyId, microUsd, timeoutMs } = call;
    const expiresInMs = timeoutMs + GRACE_MS;
    return this.repository.reserve({ callId, model, provider, keyId, microUsd, budgets, expiresInMs });
  }

  release(callId: string): Promise<void> {
    return this.repository.release(callId);
  }

  async record(call: ModelCall): Promise<void> {
    const tenant = currentTenant();
    const settled = { ...call, budgets: this.budgetsOf(call) };
    return new Promise((resolve) => {
      const queue = this.waiting.get(tenant) ?? [];
      queue.push({ call: settled, resolve });
      this.waiting.set(tenant, queue);
      this.rowsWaiting += 1;
      this.writing ??= this.writeAll().finally(() => {
        this.writing = null;
      });
    });
  }

  /** Writes what waits; gives up after a few seconds without a database, and says how much is lost. */
  async close(): Promise<void> {
    for (let tries = 0; this.rowsWaiting > 0 && tries < CLOSE_TRIES_MAX; tries += 1) {
      await Promise.race([this.writing, sleep(RETRY_MS)]);
    }
    if (this.rowsWaiting > 0)
      this.logger.error('calls never reached the ledger', { count: this.rowsWaiting });
    this.waiting.clear();
    this.rowsWaiting = 0;
  }

  private async writeAll(): Promise<void> {
    await Promise.resolve(); // what is recorded in the same turn goes along
    for (;;) {
      const [tenant, queue] = this.waiting.entries().next().value ?? [];
      if (!tenant || !queue) return;
      const batch = queue.slice(0, ROWS_PER_STATEMENT);
      if (!(await this.write(tenant, batch))) {
        await sleep(RETRY_MS);
        continue;
      }
      queue.splice(0, batch.length);
      this.waiting.delete(tenant);
      if (queue.length > 0) this.waiting.set(tenant, queue); // at the end: tenants take turns
      this.rowsWaiting = Math.max(0, this.rowsWaiting - batch.length);
    }
  }

  private async write(tenant: string, batch: Waiting[]): Promise<boolean> {
    try {
      await runAsTenant(tenant, () => this.repository.settle(batch.map(({ call }) => call)));
      return true;
    } catch (error) {
      const mayPass = isRagError(error) && error.retryable;
      this.logger.error(mayPass ? 'the ledger waits for the database' : 'calls could not be booked', {
        count: batch.length,
        cause: error instanceof Error ? error.message : String(error),
      });
      return !mayPass;
    } finally {
      // Answers do not wait for a database that is away; their rows do.
      for (const { resolve } of batch) resolve();
    }
  }

  private async bookLost(): Promise<void> {
    const tenant = currentTenant();
    const now = performance.now();
    if (now - (this.lostCheckedAt.get(tenant) ?? -Infinity) < LOST_CHECK_MS) return;
    this.lostCheckedAt.set(tenant, now);
    const lost = await this.repository.bookLost();
    if (lost > 0) this.logger.warn('calls of processes that died were booked in full', { count: lost });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

import type { BudgetConfig } from '#libs/config';

/** One budget in the period of now. */
export interface OpenBudget {
  /** "tenant/month", "key:k1/day", "model:gpt/day" */
  name: string;
  /** UTC, 2026-11-01 */
  periodStart: string;
  microUsdMax: number;
  resetsAt: Date;
}

/** The budgets that pay for a call: each of them must have room for it. */
export function budgetsOf(
  budgets: readonly BudgetConfig[],
  call: { tenantId: string; keyId: string | null; model: string },
  now = new Date(),
): OpenBudget[] {
  const subjects = { tenant: call.tenantId, key: call.keyId, model: call.model };
  const found = new Map<string, OpenBudget & { isSpecific: boolean }>();
  for (const { per, subject, period, microUsd } of budgets) {
    const own = subjects[per];
    if (own === null || (subject !== null && subject !== own)) continue;
    const name = per === 'tenant' ? `tenant/${period}` : `${per}:${own}/${period}`;
    const isSpecific = subject !== null;
    // One that names its subject stands in for the one that holds for all.
    if (found.get(name)?.isSpecific && !isSpecific) continue;
    found.set(name, { name, microUsdMax: microUsd, isSpecific, ...periodOf(period, now) });
  }
  return [...found.values()];
}

function periodOf(period: BudgetConfig['period'], now: Date): Pick<OpenBudget, 'periodStart' | 'resetsAt'> {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  const start = period === 'day' ? Date.UTC(year, month, day) : Date.UTC(year, month, 1);
  const end = period === 'day' ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1, 1);
  return { periodStart: new Date(start).toISOString().slice(0, 10), resetsAt: new Date(end) };
}

import type { BudgetConfig } from '#libs/config';
import { DEFAULT_TENANT, runAsTenant } from '#libs/database';
import { budgetLeft, budgetUsed, collectAtScrape, modelBreaker } from '#libs/metrics';
import { budgetsOf } from './ledger/budgets.js';
import type { ModelCallRepository } from './ledger/model-call.repository.js';
import type { ModelRouter } from './routing/model-router.js';

const BUDGETS_MS = 10_000;
const states = ['closed', 'half_open', 'open'] as const;

/** Shows breakers and budgets at each scrape. @returns ends it */
export function measureModels(
  router: ModelRouter,
  calls: Pick<ModelCallRepository, 'readBudgets'>,
  budgets: readonly BudgetConfig[],
): () => void {
  let budgetsReadAt = -Infinity;
  return collectAtScrape(async () => {
    for (const { name, breaker } of router.all)
      for (const state of states) modelBreaker.set({ model: name, state }, breaker.state === state ? 1 : 0);
    if (budgets.length === 0 || performance.now() - budgetsReadAt < BUDGETS_MS) return;
    const used = await runAsTenant(DEFAULT_TENANT, () => calls.readBudgets());
    budgetsReadAt = performance.now();
    for (const { name, periodStart, microUsdMax } of named(budgets)) {
      const row = used.find((known) => known.budget === name && known.periodStart === periodStart);
      const microUsd = row ? row.spentMicroUsd + row.reservedMicroUsd : 0;
      budgetUsed.set({ budget: name }, microUsdMax > 0 ? microUsd / microUsdMax : 1);
      budgetLeft.set({ budget: name }, (microUsdMax - microUsd) / 1_000_000);
    }
  });
}

/** As many as are configured by name: a budget for each key there is could be any number. */
function named(budgets: readonly BudgetConfig[]) {
  return budgets.flatMap((budget) => {
    if (budget.per === 'tenant')
      return budgetsOf([budget], { tenantId: budget.subject ?? DEFAULT_TENANT, keyId: null, model: '' });
    if (budget.subject === null) return [];
    const subject = {
      tenantId: '',
      keyId: null,
      model: '',
      [budget.per === 'key' ? 'keyId' : 'model']: budget.subject,
    };
    return budgetsOf([budget], subject);
  });
}

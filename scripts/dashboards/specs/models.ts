import { type DashboardSpec, p95By, quantiles, rate } from '../panel.js';
import { costPerHour } from './money.js';

export const models: DashboardSpec = {
  uid: 'ragstone-models',
  title: 'Ragstone: models',
  rows: [
    {
      title: 'Calls',
      panels: [
        {
          title: 'Attempts',
          description: 'At chat models, by outcome. One answer may take several.',
          unit: 'ops',
          targets: rate('ragstone_model_calls_total', 'model, outcome'),
        },
        {
          title: 'p95 of an attempt',
          description: 'Successful ones, by model.',
          unit: 's',
          targets: p95By('ragstone_model_call_duration_seconds', 'model'),
        },
        {
          title: 'Whole answer of a model',
          description: 'All attempts of an answer together, stand-ins included.',
          unit: 's',
          limits: { badAbove: 15 },
          targets: quantiles('ragstone_stage_duration_seconds', { where: 'stage="model_total"' }),
        },
      ],
    },
    {
      title: 'Trouble',
      panels: [
        {
          title: 'Failures by kind',
          description:
            'rate_limited, quota: your contract. status_5xx, timeout: the provider. unauthorized: the key.',
          unit: 'ops',
          targets: rate('ragstone_model_failures_total', 'model, kind'),
        },
        {
          title: 'Passed over',
          description:
            'Models that were not even asked: breaker_open, cooling, busy, rate_limit, deadline, budget, context_too_long.',
          unit: 'ops',
          targets: rate('ragstone_model_skips_total', 'model, reason'),
        },
        {
          title: 'Stand-ins',
          description: 'Answers that the first model of the chain did not give, by who gave them.',
          unit: 'ops',
          targets: rate('ragstone_model_fallbacks_total', 'model'),
        },
        {
          title: 'Breakers that are not closed',
          description:
            '1: open (not asked for a while) or half_open (one call tries it). RagstoneBreakerOpen fires after 2 minutes.',
          unit: 'short',
          limits: { badAbove: 0.5 },
          targets: [
            {
              expr: 'sum by (model, state) (ragstone_model_breaker_state{state!="closed"})',
              legend: '{{model}} {{state}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Tokens and money',
      panels: [
        {
          title: 'Tokens',
          description: 'A second, by kind. Embeddings have input only.',
          unit: 'ops',
          targets: rate('ragstone_model_tokens_total', 'model, kind'),
        },
        costPerHour,
        {
          title: 'Left of budgets',
          description:
            'In the present period. At 0 calls are refused, or the chain goes on to models that have room.',
          unit: 'currencyUSD',
          limits: { badBelow: 1 },
          targets: [{ expr: 'min by (budget) (ragstone_budget_left_usd)', legend: '{{budget}}' }],
        },
      ],
    },
  ],
};

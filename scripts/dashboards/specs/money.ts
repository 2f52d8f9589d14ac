import { own, type PanelSpec } from '../panel.js';

export const costPerHour: PanelSpec = {
  title: 'Cost an hour',
  description:
    'By the prices of models.yaml, at the pace of now. Red from where RagstoneCostHigh fires (yours to set).',
  unit: 'currencyUSD',
  limits: { badAbove: 20 },
  targets: [
    {
      expr: `sum by (model) (rate(ragstone_model_cost_usd_total{${own}}[$__rate_interval])) * 3600`,
      legend: '{{model}}',
    },
  ],
};

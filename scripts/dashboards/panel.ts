/** One panel: what it asks Prometheus and how it shows it. `$instance` stands for the processes that the viewer chose. */
export interface PanelSpec {
  title: string;
  /** For somebody who has never seen the code: what it is, and when to worry. */
  description: string;
  unit: 'short' | 's' | 'percentunit' | 'reqps' | 'bytes' | 'currencyUSD' | 'ops';
  kind?: 'timeseries' | 'stat';
  /** Of 24. Default 8. */
  span?: number;
  /** Where it turns yellow and red. Those of an alert are the alert's. */
  limits?: { warnAbove?: number; badAbove?: number } | { badBelow: number };
  targets: TargetSpec[];
}

export interface TargetSpec {
  expr: string;
  legend?: string;
  /** Slow ones are shown as dots that lead to their traces. */
  hasExemplars?: boolean;
}

export interface DashboardSpec {
  uid: string;
  title: string;
  rows: { title: string; panels: PanelSpec[] }[];
}

/** Of the chosen processes. */
export const own = 'instance=~"$instance"';

/** Quantiles of a histogram, one line each. */
export function quantiles(
  metric: string,
  { by, where, hasExemplars }: { by?: string; where?: string; hasExemplars?: boolean } = {},
): TargetSpec[] {
  const selector = [own, where].filter(Boolean).join(',');
  return [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le${by ? `, ${by}` : ''}) (rate(${metric}_bucket{${selector}}[$__rate_interval])))`,
    legend: `p${quantile * 100}${by ? ` {{${by}}}` : ''}`,
    ...(hasExemplars && { hasExemplars }),
  }));
}

/** The 95th percentile by a label. */
export function p95By(metric: string, by: string): TargetSpec[] {
  return [
    {
      expr: `histogram_quantile(0.95, sum by (le, ${by}) (rate(${metric}_bucket{${own}}[$__rate_interval])))`,
      legend: `{{${by}}}`,
    },
  ];
}

/** A counter's rate by labels. */
export function rate(metric: string, by?: string, where?: string): TargetSpec[] {
  const selector = [own, where].filter(Boolean).join(',');
  const sum = by ? `sum by (${by})` : 'sum';
  const legend =
    by &&
    by
      .split(', ')
      .map((label) => `{{${label}}}`)
      .join(' ');
  return [{ expr: `${sum} (rate(${metric}{${selector}}[$__rate_interval]))`, ...(legend && { legend }) }];
}

/** Two counters: the share of the one in the other. */
export function share(part: string, whole: string): TargetSpec[] {
  return [{ expr: `sum(rate(${part}[$__rate_interval])) / sum(rate(${whole}[$__rate_interval]))` }];
}

/** One number for each process. */
export function byInstance(metric: string, aggregate: 'sum' | 'max' = 'sum'): TargetSpec[] {
  return [{ expr: `${aggregate} by (instance) (${metric}{${own}})`, legend: '{{instance}}' }];
}

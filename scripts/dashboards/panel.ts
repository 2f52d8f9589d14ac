/** One panel: what it asks Prometheus and how it shows it. `$i` stands for the instances that the viewer chose. */
export interface PanelSpec {
  title: string;
  description?: string;
  unit: 'short' | 's' | 'percentunit' | 'reqps' | 'bytes' | 'currencyUSD' | 'ops';
  kind?: 'timeseries' | 'stat';
  /** Of 24. Default 8. */
  span?: number;
  targets: { expr: string; legend?: string }[];
}

export interface DashboardSpec {
  uid: string;
  title: string;
  rows: { title: string; panels: PanelSpec[] }[];
}

/** Quantiles of a histogram, one line each. */
export function quantiles(
  metric: string,
  { by, where }: { by?: string; where?: string } = {},
): PanelSpec['targets'] {
  const selector = ['instance=~"$instance"', where].filter(Boolean).join(',');
  return [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le${by ? `, ${by}` : ''}) (rate(${metric}_bucket{${selector}}[$__rate_interval])))`,
    legend: `p${quantile * 100}${by ? ` {{${by}}}` : ''}`,
  }));
}

/** The 95th percentile by a label. */
export function p95By(metric: string, by: string): PanelSpec['targets'] {
  return [
    {
      expr: `histogram_quantile(0.95, sum by (le, ${by}) (rate(${metric}_bucket{instance=~"$instance"}[$__rate_interval])))`,
      legend: `{{${by}}}`,
    },
  ];
}

/** A counter's rate by labels. */
export function rate(metric: string, by?: string, where?: string): PanelSpec['targets'] {
  const selector = ['instance=~"$instance"', where].filter(Boolean).join(',');
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
export function share(part: string, whole: string): PanelSpec['targets'] {
  return [{ expr: `sum(rate(${part}[$__rate_interval])) / sum(rate(${whole}[$__rate_interval]))` }];
}

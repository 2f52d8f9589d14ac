import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { DashboardSpec, PanelSpec } from './panel.js';

const datasource = { type: 'prometheus', uid: '${datasource}' };
const HEIGHT = 8;
const STAT_HEIGHT = 4;
const SPAN = 8;

/** Grafana's own builder checks names and types, and gives panels their places. */
export function buildDashboard({ uid, title, rows }: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .tags(['ragstone'])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .editable()
    .link(
      new DashboardLinkBuilder('Ragstone')
        .type(DashboardLinkType.Dashboards)
        .tags(['ragstone'])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('instance')
        .label('Process')
        .datasource(datasource)
        .query('label_values(ragstone_build_info, instance)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    );
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(buildPanel(panel));
  }
  return builder.build();
}

function buildPanel({
  title,
  description,
  unit,
  kind = 'timeseries',
  span = SPAN,
  limits,
  targets,
}: PanelSpec) {
  const panel = kind === 'stat' ? new StatBuilder() : new TimeseriesBuilder();
  panel.title(title).description(description).datasource(datasource).unit(unit).span(span);
  panel.height(kind === 'stat' ? STAT_HEIGHT : HEIGHT);
  panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(thresholdsOf(limits)));
  if (limits && panel instanceof TimeseriesBuilder) {
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [index, { expr, legend, hasExemplars }] of targets.entries()) {
    const target = new DataqueryBuilder().refId(String.fromCharCode(65 + index)).expr(expr);
    if (legend) target.legendFormat(legend);
    if (hasExemplars) target.exemplar(true);
    panel.withTarget(target);
  }
  return panel;
}

/** The first step is without a value: it begins at minus infinity. */
function thresholdsOf(limits: PanelSpec['limits'] = {}): Threshold[] {
  if ('badBelow' in limits) {
    return [
      { value: null, color: 'red' },
      { value: limits.badBelow, color: 'green' },
    ];
  }
  const { warnAbove, badAbove } = limits;
  return [
    { value: null, color: 'green' },
    ...(warnAbove === undefined ? [] : [{ value: warnAbove, color: 'yellow' }]),
    ...(badAbove === undefined ? [] : [{ value: badAbove, color: 'red' }]),
  ];
}

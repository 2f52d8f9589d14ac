import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { buildDashboard } from './build-dashboard.js';
import { dashboards } from './specs/index.js';

it.each(dashboards)('$title is what docker/grafana has ("npm run dashboards" writes it)', async (spec) => {
  const file = join(projectFolder, 'docker/grafana/dashboards', `${spec.uid.replace('ragstone-', '')}.json`);
  await expect(`${JSON.stringify(buildDashboard(spec), null, 2)}\n`).toMatchFileSnapshot(file);
});

it('has a title of its own for each panel of a dashboard', () => {
  for (const { title, rows } of dashboards) {
    const titles = rows.flatMap(({ panels }) => panels.map((panel) => panel.title));
    expect(new Set(titles).size, title).toBe(titles.length);
  }
});

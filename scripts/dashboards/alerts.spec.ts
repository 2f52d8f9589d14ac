import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectFolder } from '#libs/project-files';
import { runTool } from '../../test/support/own-prometheus.js';
import { serverMissing } from '../../test/support/stack.js';

const RULES = 'docker/prometheus/rules.yml';
const TESTS = 'docker/prometheus/rules.test.yml';

interface Rule {
  alert?: string;
  labels?: { severity?: string };
  annotations?: { summary?: string; runbook_url?: string };
}

async function read<T>(path: string): Promise<T> {
  return parse(await readFile(join(projectFolder, path), 'utf8')) as T;
}

async function alerts(): Promise<Required<Rule>[]> {
  const { groups } = await read<{ groups: { rules: Rule[] }[] }>(RULES);
  return groups
    .flatMap(({ rules }) => rules)
    .filter((rule): rule is Required<Rule> => rule.alert !== undefined);
}

describe('the alerts, by Prometheus itself', () => {
  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  it('pass promtool check rules', async () => {
    expect(await runTool(['promtool', 'check', 'rules'], [RULES])).toMatchObject({ code: 0 });
  });

  it('fire when they should and at no other time (promtool test rules)', async () => {
    const { code, output } = await runTool(['promtool', 'test', 'rules'], [TESTS, RULES]);
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  it('go somewhere: amtool takes the configuration of Alertmanager', async () => {
    const result = await runTool(['amtool', 'check-config'], ['docker/alertmanager/alertmanager.yml']);
    expect(result).toMatchObject({ code: 0, output: expect.stringContaining('2 receivers') });
  });
});

it('have each a severity, a sentence, a test, and a section of the runbook', async () => {
  const runbook = await readFile(join(projectFolder, 'docs/operations/runbook.md'), 'utf8');
  const tests = await readFile(join(projectFolder, TESTS), 'utf8');
  const all = await alerts();
  expect(all.length).toBeGreaterThan(15);
  for (const { alert, labels, annotations } of all) {
    expect(['page', 'ticket'], alert).toContain(labels.severity);
    expect(annotations.summary, alert).toBeTruthy();
    expect(annotations.runbook_url).toBe(`docs/operations/runbook.md#${alert.toLowerCase()}`);
    expect(runbook, alert).toMatch(new RegExp(`^## ${alert}$`, 'm'));
    expect(tests, alert).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n`)); // one that fires
  }
});

import { expect, it } from 'vitest';
import { ServerProcess } from '../support/server-process.js';
import { describeOnEachStore } from '../support/stores.js';
import { waitFor } from '../support/wait-for.js';

async function status(...args: string[]) {
  const command = ServerProcess.run(['dist/apps/cli/src/main.js', 'status', ...args], {});
  await command.ended();
  return { code: command.exitCode, output: command.output };
}

describeOnEachStore('ragstone status', {}, (open) => {
  it('tells how a service is, from what the service says', async () => {
    const { client, url } = open().api;
    await client.indexText('The archive room opens with code 4711.');
    await client.ask('With which code does the archive room open?');
    await client.ask('Anything?', { collection: 'not-there' });
    const broken = await client.upload('broken.pdf', Buffer.from('%PDF-1.7 broken'));
    await client.jobEnd(broken.body);
    const { code, output } = await waitFor('the log to be written', async () => {
      const seen = await status('--url', url);
      return /2 in 5 minutes/.test(seen.output) && seen;
    });
    expect(code).toBe(0);
    expect(output).toMatch(/^READY +up \d+ s, version 0\.1\.0, (pglite|postgres)$/m);
    expect(output).toMatch(/^ok +.*database, vector_search/m);
    expect(output).toMatch(/^questions +2 in 5 minutes: 1 failed, 0 no evidence/m);
    expect(output).toMatch(/^jobs +\d+ waiting; 0 delayed, \d running; 1 worker$/m);
    expect(output).toMatch(/^job +\d+ s ago document_\w+: .+$/m);
    expect(output).toMatch(/^question +\d+ s ago collection_not_found/m);
    expect(output).toMatch(/^read on +docs\/operations\/runbook\.md: .*RagstoneDeadLetters/m);
    expect(output).not.toContain('not seen');
  });
});

it('says who does not answer', async () => {
  const { code, output } = await status('--url', 'http://127.0.0.1:1');
  expect(code).toBe(1);
  expect(output).toContain('Ragstone does not answer on http://127.0.0.1:1');
});

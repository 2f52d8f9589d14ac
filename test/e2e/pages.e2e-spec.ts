import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ChromiumPage, chromiumMissing } from '../support/chromium.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

let api: TestApi;
let page: ChromiumPage | undefined;

beforeAll(async () => {
  if (chromiumMissing) return;
  api = await startTestApi();
  await api.client.indexText('The archive room opens with code 4711.', { title: 'Door codes' });
  page = await ChromiumPage.open();
  await page.noteViolations();
});
beforeEach((context) => {
  if (chromiumMissing) context.skip(chromiumMissing);
});
afterAll(async () => {
  await page?.close();
  await api?.close();
});

const violations = () => page!.evaluate<string[]>('violations');

it('notes what a policy forbids: this test of the test', async () => {
  await page!.goTo(`${api.url}/rag/playground`);
  await page!.evaluate(`(() => {
    const script = document.createElement('script');
    script.textContent = 'window.isEvil = true';
    document.body.append(script);
    const image = new Image();
    image.src = 'http://127.0.0.1:1/leak.png';
    document.body.append(image);
  })()`);
  await waitFor('both violations', async () => (await violations()).length === 2);
  expect((await violations()).join(' ')).toMatch(/script-src.*img-src|img-src.*script-src/);
  expect(await page!.evaluate('typeof isEvil')).toBe('undefined');
});

it('shows the API page whole, within its policy', async () => {
  await page!.goTo(`${api.url}/docs`);
  await waitFor('the operations', () =>
    page!.evaluate<boolean>(`document.querySelectorAll('.opblock').length > 30`),
  );
  await page!.evaluate(
    `document.querySelector('[id$="-QueryController_query"] .opblock-summary-control').click()`,
  );
  await waitFor('the description of POST /query', () =>
    page!.evaluate<boolean>(`document.querySelectorAll('.opblock.is-open .response').length > 3`),
  );
  expect(await violations()).toEqual([]);
});

it.each(['rag', 'agent'])('answers on the page of /%s, within its policy', async (chain) => {
  await page!.goTo(`${api.url}/${chain}/playground`);
  await page!.evaluate(`(() => {
    document.getElementById('question').value = 'What opens the archive room?';
    document.getElementById('form').requestSubmit();
  })()`);
  await waitFor('the answer on the page', () =>
    page!.evaluate<boolean>(`document.getElementById('rest').textContent.includes('"citations"')`),
  );
  expect(await page!.evaluate(`document.getElementById('answer').textContent`)).toContain('4711');
  expect(await violations()).toEqual([]);
});

import { expect, it } from 'vitest';
import { failed, type HealthCheck, ok } from './health-check.js';
import { RememberedCheck } from './remembered-check.js';

function counting(run: () => ReturnType<HealthCheck['run']>) {
  const check = { name: 'counting', runs: 0, run: () => ((check.runs += 1), run()) };
  return check;
}

it('runs once for all who ask at a time, and remembers', async () => {
  const check = counting(() => Promise.resolve(ok('fine')));
  const remembered = new RememberedCheck(check, { rememberMs: 60_000, timeoutMs: 1_000 });
  const results = await Promise.all([remembered.result(), remembered.result()]);
  expect(results[0]).toMatchObject({ status: 'ok', message: 'fine' });
  await remembered.result();
  expect(check.runs).toBe(1);
});

it('looks again when what it remembers is old', async () => {
  const check = counting(() => Promise.resolve(ok('fine')));
  const remembered = new RememberedCheck(check, { rememberMs: 0, timeoutMs: 1_000 });
  await remembered.result();
  await remembered.result();
  expect(check.runs).toBe(2);
});

it('fails with what the check threw, and when it does not end', async () => {
  const options = { rememberMs: 0, timeoutMs: 5 };
  const throws = new RememberedCheck(
    counting(() => Promise.reject(new Error('gone'))),
    options,
  );
  expect(await throws.result()).toMatchObject(failed('gone'));
  const hangs = new RememberedCheck(
    counting(() => new Promise(() => undefined)),
    options,
  );
  expect(await hangs.result()).toMatchObject(failed('no answer within 5 ms'));
});

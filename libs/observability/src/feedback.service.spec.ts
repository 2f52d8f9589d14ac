import { expect, it } from 'vitest';
import { FeedbackService } from './feedback.service.js';
import { newRequestId } from './request-id.js';

const HOUR_MS = 60 * 60_000;

/** A log that has the question from the so-many-th look on. */
function giving(hasFrom: number) {
  const calls: string[] = [];
  const service = new FeedbackService(
    {
      saveFeedback: (requestId, thumb, comment) => {
        calls.push('look');
        const now = new Date();
        const saved = { requestId, thumb, comment, createdAt: now, updatedAt: now };
        return Promise.resolve(calls.filter((call) => call === 'look').length >= hasFrom ? saved : null);
      },
    },
    { flush: () => Promise.resolve(calls.push('flush') > 0) },
  );
  return { service, calls };
}

it('takes feedback on a logged answer at once', async () => {
  const { service, calls } = giving(1);
  expect(await service.give('mine-1', 'up', null)).toMatchObject({ requestId: 'mine-1', thumb: 'up' });
  expect(calls).toEqual(['look']);
});

it('writes the own log where the answer is younger than that', async () => {
  const { service, calls } = giving(2);
  await service.give('mine-1', 'up', null);
  expect(calls).toEqual(['look', 'flush', 'look']);
});

it("waits for another replica's log, where the answer is of this moment", async () => {
  const { service, calls } = giving(4);
  expect(await service.give(newRequestId(), 'down', 'wrong')).toMatchObject({ comment: 'wrong' });
  expect(calls).toEqual(['look', 'flush', 'look', 'look', 'look']);
});

it.each([
  ['of an hour ago', newRequestId(Date.now() - HOUR_MS)],
  ['that was made up', 'mine-2'],
])('does not wait for a request %s', async (_what, requestId) => {
  const { service, calls } = giving(Infinity);
  await expect(service.give(requestId, 'up', null)).rejects.toMatchObject({ code: 'query_not_found' });
  expect(calls).toEqual(['look', 'flush', 'look']);
});

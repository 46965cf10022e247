import { expect, test } from 'vitest';
import { pollTries, pollWait } from '../../../../../lambdas/domain/rules/proof/poll-wait.ts';

test('a CA that says nothing is asked often at first and every half minute later', () => {
  const waits = Array.from({ length: 9 }, (_, tries) => pollWait(tries, null));
  expect(waits).toEqual([1, 2, 3, 5, 10, 15, 30, 30, 30]);
});

test.each([
  [0, 1, 'at once is in a second'],
  [0.2, 1, 'a broken second is a whole one'],
  [7, 7, 'seconds are obeyed'],
  [3600, 3600, 'an hour is obeyed'],
  [86_400, 3600, 'a day is asked again after an hour'],
  [-5, 1, 'a moment that is past is now'],
])('a Retry-After of %s s waits %i: %s', (retryAfter, wait) => {
  expect(pollWait(9, retryAfter)).toBe(wait);
});

test.each([
  ['ready', 7, 8],
  ['valid', 30, 31],
] as const)('an order has between %s and given up %i to %i minutes', (until, least, most) => {
  const seconds = Array.from({ length: pollTries[until] }, (_, tries) => pollWait(tries, null)).reduce((a, b) => a + b);
  expect(seconds).toBeGreaterThanOrEqual(least * 60);
  expect(seconds).toBeLessThan(most * 60);
});

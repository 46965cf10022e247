import { expect, test } from 'vitest';
import { pollTries, pollWait } from '../../../../../lambdas/domain/rules/proof/poll-wait.ts';

test('polls a CA without Retry-After often at first and every 30 s later', () => {
  const waits = Array.from({ length: 9 }, (_, tries) => pollWait(tries, null));
  expect(waits).toEqual([1, 2, 3, 5, 10, 15, 30, 30, 30]);
});

test.each([
  [0, 1, 'the minimum is one second'],
  [0.2, 1, 'a fraction is rounded up'],
  [7, 7, 'seconds are used unchanged'],
  [3600, 3600, 'an hour is used unchanged'],
  [86_400, 3600, 'the maximum is one hour'],
  [-5, 1, 'a time in the past counts as now'],
])('a Retry-After of %s s waits %i s, because %s', (retryAfter, wait) => {
  expect(pollWait(9, retryAfter)).toBe(wait);
});

test.each([
  ['ready', 7, 8],
  ['valid', 30, 31],
] as const)('the polls until an order is %s take %i to %i minutes', (until, least, most) => {
  const seconds = Array.from({ length: pollTries[until] }, (_, tries) => pollWait(tries, null)).reduce((a, b) => a + b);
  expect(seconds).toBeGreaterThanOrEqual(least * 60);
  expect(seconds).toBeLessThan(most * 60);
});

import { describe, expect, test } from 'vitest';
import { pollings, pollWait } from '../../../../../lambdas/domain/rules/proof/poll-wait.ts';

/** Returns all waits until the bound, with the same Retry-After each time. */
function waits(polling: keyof typeof pollings, retryAfter: number | null): number[] {
  const found: number[] = [];
  for (let waited = 0; ; waited += found.at(-1) ?? 0) {
    const wait = pollWait(waited, pollings[polling], retryAfter);
    if (wait === null) return found;
    found.push(wait);
  }
}
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b);

describe('the waits without a Retry-After', () => {
  test('are short at first and 30 s later for an order', () => {
    expect(waits('ready', null).slice(0, 9)).toEqual([1, 2, 3, 5, 10, 15, 30, 30, 30]);
  });

  test('are short at first and 15 s later for DNS', () => {
    expect(waits('propagation', null).slice(0, 5)).toEqual([1, 5, 10, 15, 15]);
  });
});

describe('all waits together', () => {
  test.each(
    ([null, -5, 0, 0.2, 1, 3, 42, 600, 86_400] as const).flatMap((retryAfter) => [
      ['propagation', retryAfter, 900] as const,
      ['ready', retryAfter, 900] as const,
      ['valid', retryAfter, 1800] as const,
    ]),
  )('for %s with a Retry-After of %s s take exactly %i s, and are whole seconds', (polling, retryAfter, bound) => {
    const all = waits(polling, retryAfter);
    expect(sum(all)).toBe(bound);
    expect(all.every((each) => Number.isInteger(each) && each >= 1 && each <= 300)).toBe(true);
  });

  test('are at most 250, so that four attempts fit into the history of an execution', () => {
    expect(Math.max(...[0, 1, 3].map((retryAfter) => waits('valid', retryAfter).length))).toBeLessThanOrEqual(250);
    expect(Math.max(...[0, 1, 3].map((retryAfter) => waits('ready', retryAfter).length))).toBeLessThanOrEqual(220);
  });
});

test.each([
  [0, 1, 'the minimum is one second'],
  [6.2, 7, 'a fraction is rounded up'],
  [120, 120, 'two minutes are used unchanged'],
  [86_400, 180, 'a day is cut to a tenth of the time left'],
  [-5, 1, 'a time in the past counts as now'],
])('a Retry-After of %s s at the begin waits %i s, because %s', (retryAfter, wait) => {
  expect(pollWait(0, pollings.valid, retryAfter)).toBe(wait);
});

test('a wait that is over its bound ends, also with a Retry-After', () => {
  expect(pollWait(900, pollings.ready, 1)).toBeNull();
  expect(pollWait(5000, pollings.ready, null)).toBeNull();
  expect(pollWait(899, pollings.ready, 86_400)).toBe(1);
});

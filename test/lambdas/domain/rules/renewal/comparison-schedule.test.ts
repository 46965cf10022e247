import { describe, expect, test } from 'vitest';
import { dueComparisons } from '../../../../../lambdas/domain/rules/renewal/comparison-schedule.ts';

const names = Array.from({ length: 1000 }, (_, index) => `certificate-${index}`);
const at = (time: string) => new Date(`2026-03-${time}Z`);
const namesBetween = (since: string, now: string) => dueComparisons(names, at(since), at(now)).map(({ name }) => name);

describe('the comparison of a certificate is due', () => {
  test('once in a day, whenever the runs of the day begin', () => {
    const runs = ['01T00:00:00', '01T05:58:00', '01T12:31:07', '01T12:31:08', '01T18:59:59', '02T00:00:00'];
    const compared = runs.slice(1).flatMap((now, index) => namesBetween(runs[index] ?? '', now));
    expect(compared.toSorted()).toEqual(names.toSorted());
  });

  test('at the same time of the next day', () => {
    const [first] = dueComparisons(names, at('01T00:00:00'), at('02T00:00:00'));
    const [next] = dueComparisons(names, at('02T00:00:00'), at('03T00:00:00'));
    expect(next?.name).toBe(first?.name);
    expect(Number(next?.at) - Number(first?.at)).toBe(86_400_000);
  });

  test('for about a quarter of all certificates in six hours', () => {
    const count = namesBetween('01T06:00:00', '01T12:00:00').length;
    expect(count).toBeGreaterThan(200);
    expect(count).toBeLessThan(300);
  });

  test('only once after a longer break than a day', () => {
    expect(namesBetween('01T00:00:00', '05T00:00:00').toSorted()).toEqual(names.toSorted());
  });

  test('in the order of the times, so that a run can stop after any of them', () => {
    const due = dueComparisons(names, at('01T00:00:00'), at('02T00:00:00'));
    const middle = due[499];
    const times = due.map(({ at: time }) => Number(time));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const stop = middle?.at ?? at('01T00:00:00');
    expect(dueComparisons(names, at('01T00:00:00'), stop)).toEqual(due.slice(0, 500));
    const rest = dueComparisons(names, stop, at('02T00:00:00'));
    expect(rest).toEqual(due.slice(500));
  });
});

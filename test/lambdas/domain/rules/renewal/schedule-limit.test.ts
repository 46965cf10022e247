import { expect, test } from 'vitest';
import { longestInterval, slowScheduleWarning } from '../../../../../lambdas/domain/rules/renewal/schedule-limit.ts';

const hour = 3600;
const from = '2026-01-01T00:00:00Z';
const living = (hours: number) => ({
  notBefore: from,
  notAfter: new Date(Date.parse(from) + hours * 3_600_000 - 1000).toISOString(),
});

test.each([
  ['90 days, of which a third is left', 90 * 24, 90],
  ['160 hours, of which half is left', 160, 10],
  ['24 hours', 24, 1.5],
])('fits eight runs between renewal time and expiry of %s', (_, lifetime, hours) => {
  expect(longestInterval(living(lifetime)) / hour).toBeCloseTo(hours, 2);
});

test.each([
  [90 * 24, 72 * hour],
  [45 * 24, 45 * hour],
  [160, 10 * hour],
  [24, 90 * 60],
])('accepts for %i h less a second the schedule that synth accepts, of %i s', (lifetime, interval) => {
  expect(slowScheduleWarning(living(lifetime), interval)).toBeNull();
});

test.each([
  [24, 6 * hour, 'it lives for 24 h, and the schedule of 6 h is too slow for it. Set schedule to 90 minutes or less'],
  [160, 12 * hour, 'it lives for 160 h, and the schedule of 12 h is too slow for it. Set schedule to 10 h or less'],
  [
    1,
    10 * 60,
    'it lives for 60 minutes, and the schedule of 10 minutes is too slow for it. Set schedule to 3 minutes or less',
  ],
  // A schedule has at least one minute.
  [
    0.1,
    10 * 60,
    'it lives for 6 minutes, and the schedule of 10 minutes is too slow for it. Set schedule to 1 minute or less',
  ],
])('warns of a certificate of %d h with a run every %i s', (lifetime, interval, words) => {
  expect(slowScheduleWarning(living(lifetime), interval)).toContain(words);
});

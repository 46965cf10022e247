import { expect, test } from 'vitest';
import { checkInterval } from '../../../infra/config/check-interval.ts';

const hour = 3600;
const day = 24 * hour;

test.each([
  ['rate(1 minute)', 60],
  ['rate(6 hours)', 6 * hour],
  ['rate(2 days)', 2 * day],
  ['cron(0 * * * ? *)', hour],
  ['cron(0/20 * * * ? *)', hour / 3],
  ['cron(15 0/6 * * ? *)', 6 * hour],
  ['cron(0 3,9,21 * * ? *)', 12 * hour],
  ['cron(0 8-18/2 * * ? *)', 14 * hour],
  ['cron(0 3 * * ? *)', day],
  ['cron(0 3 ? * MON-FRI *)', 3 * day],
  ['cron(0 3 ? * FRI-MON *)', 4 * day],
  ['cron(0 3 ? * 2,4,6 *)', 3 * day],
  ['cron(0 3 1 * ? *)', 31 * day],
  ['cron(0 3 1 JAN,JUL ? *)', 184 * day],
  ['cron(0 3 29 2 ? *)', 1461 * day],
  ['cron(0 3 1 * ? 2027)', 31 * day],
  ['cron(0 3 L * ? *)', 38 * day],
  ['cron(0 3 ? * MON#1 *)', 38 * day],
  ['cron(0 3 15W * ? *)', 38 * day],
])('%s leaves at most %i seconds between two checks', (schedule, seconds) => {
  expect(checkInterval(schedule)).toBe(seconds);
});

test.each([
  'daily',
  'rate(6)',
  'rate(6 weeks)',
  'cron(0 3 * * ?)',
  'cron(60 3 * * ? *)',
  'cron(0 24 * * ? *)',
  'cron(0 3 31 2 ? *)',
  'cron(0/0 3 * * ? *)',
  'cron(x 3 * * ? *)',
  'cron(0 3 ? * 8 *)',
])('%s cannot be read', (schedule) => {
  expect(checkInterval(schedule)).toBeNull();
});

import { expect, test } from 'vitest';
import { daysLeft, renewalTime } from '../../../lambdas/rules/renewal-time.ts';

test.each([
  ['90 days', '2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z', '2026-03-02T00:00:00.000Z'],
  ['90 days less a second', '2026-01-01T00:00:00Z', '2026-03-31T23:59:59Z', '2026-03-01T23:59:59.333Z'],
  ['47 days', '2026-01-01T00:00:00Z', '2026-02-17T00:00:00Z', '2026-02-01T08:00:00.000Z'],
  ['10 days', '2026-01-01T00:00:00Z', '2026-01-11T00:00:00Z', '2026-01-07T16:00:00.000Z'],
  ['10 days less a second', '2026-01-01T00:00:00Z', '2026-01-10T23:59:59Z', '2026-01-05T23:59:59.500Z'],
  ['160 hours', '2026-01-01T00:00:00Z', '2026-01-07T16:00:00Z', '2026-01-04T08:00:00.000Z'],
])('a certificate of %s from %s is renewed at %s', (_, notBefore, notAfter, due) => {
  expect(renewalTime({ notBefore, notAfter }).toISOString()).toBe(due);
});

test.each([
  ['2026-03-22T00:00:00Z', 10],
  ['2026-03-31T12:00:00Z', 0.5],
  ['2026-04-01T00:00:00Z', 0],
  ['2026-04-03T00:00:00Z', -2],
])('at %s a certificate that ends with March has %d days left', (now, days) => {
  expect(daysLeft({ notAfter: '2026-04-01T00:00:00Z' }, new Date(now))).toBe(days);
});

import { expect, test } from 'vitest';
import {
  daysLeft,
  emergencySpacing,
  emergencyTime,
  isEmergency,
  renewalTime,
} from '../../../../../lambdas/domain/rules/renewal/renewal-time.ts';

test.each([
  ['90 days', '2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z', '2026-03-02T00:00:00.000Z'],
  ['90 days less a second', '2026-01-01T00:00:00Z', '2026-03-31T23:59:59Z', '2026-03-01T23:59:59.333Z'],
  ['47 days', '2026-01-01T00:00:00Z', '2026-02-17T00:00:00Z', '2026-02-01T08:00:00.000Z'],
  ['10 days', '2026-01-01T00:00:00Z', '2026-01-11T00:00:00Z', '2026-01-07T16:00:00.000Z'],
  ['10 days less a second', '2026-01-01T00:00:00Z', '2026-01-10T23:59:59Z', '2026-01-05T23:59:59.500Z'],
  ['160 hours', '2026-01-01T00:00:00Z', '2026-01-07T16:00:00Z', '2026-01-04T08:00:00.000Z'],
  ['24 hours', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-01T12:00:00.000Z'],
])('a certificate of %s from %s is renewed at %s', (_, notBefore, notAfter, due) => {
  expect(renewalTime({ notBefore, notAfter }).toISOString()).toBe(due);
});

test.each([
  ['90 days', '2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z', '2026-03-27T12:00:00.000Z'],
  ['45 days', '2026-01-01T00:00:00Z', '2026-02-15T00:00:00Z', '2026-02-12T18:00:00.000Z'],
  ['10 days', '2026-01-01T00:00:00Z', '2026-01-11T00:00:00Z', '2026-01-10T12:00:00.000Z'],
  ['10 days less a second', '2026-01-01T00:00:00Z', '2026-01-10T23:59:59Z', '2026-01-09T23:59:59.000Z'],
  ['160 hours', '2026-01-01T00:00:00Z', '2026-01-07T16:00:00Z', '2026-01-06T16:00:00.000Z'],
  ['4 days', '2026-01-01T00:00:00Z', '2026-01-05T00:00:00Z', '2026-01-04T00:00:00.000Z'],
  ['2 days', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z', '2026-01-02T12:00:00.000Z'],
  ['24 hours', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-01T18:00:00.000Z'],
  ['1 hour', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', '2026-01-01T00:45:00.000Z'],
])('for a certificate of %s from %s to %s nothing may be put off from %s on', (_, notBefore, notAfter, from) => {
  const current = { notBefore, notAfter, versionId: 'version-1' };
  expect(emergencyTime(current).toISOString()).toBe(from);
  expect(isEmergency({ current }, new Date(from))).toBe(true);
  expect(isEmergency({ current }, new Date(Date.parse(from) - 1))).toBe(false);
});

test.each([
  ['90 days', '2026-04-01T00:00:00Z', 100],
  ['160 hours', '2026-01-07T16:00:00Z', 100],
  ['24 hours', '2026-01-02T00:00:00Z', 90],
  ['4 hours', '2026-01-01T04:00:00Z', 15],
])(
  'an emergency of a certificate of %s, which expires at %s, has an attempt every %i minutes',
  (_, notAfter, minutes) => {
    expect(emergencySpacing({ notBefore: '2026-01-01T00:00:00Z', notAfter }) / 60_000).toBe(minutes);
  },
);

test('a certificate never issued is not an emergency, and an expired one is', () => {
  expect(isEmergency({ current: null }, new Date('2026-04-01T00:00:00Z'))).toBe(false);
  const current = { notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-04-01T00:00:00Z', versionId: 'version-1' };
  expect(isEmergency({ current }, new Date('2026-05-01T00:00:00Z'))).toBe(true);
});

test('a revoked certificate is an emergency until another version is in use', () => {
  const current = { notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-04-01T00:00:00Z', versionId: 'version-2' };
  const early = new Date('2026-01-02T00:00:00Z');
  expect(isEmergency({ current, revokedVersion: 'version-2' }, early)).toBe(true);
  expect(isEmergency({ current, revokedVersion: 'version-1' }, early)).toBe(false);
  expect(isEmergency({ current: null, revokedVersion: 'version-1' }, early)).toBe(false);
});

test.each([
  ['2026-03-22T00:00:00Z', 10],
  ['2026-03-31T12:00:00Z', 0.5],
  ['2026-04-01T00:00:00Z', 0],
  ['2026-04-03T00:00:00Z', -2],
])('at %s a certificate that ends with March has %d days left', (now, days) => {
  expect(daysLeft({ notAfter: '2026-04-01T00:00:00Z' }, new Date(now))).toBe(days);
});

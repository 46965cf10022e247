import { expect, test } from 'vitest';
import type { CertificateSpec } from '../../../../../lambdas/domain/contract/config.ts';
import type { LedgerCertificate } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import {
  emptyGauges,
  gaugeMetrics,
  withCertificate,
} from '../../../../../lambdas/domain/rules/renewal/fleet-gauges.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { deliveryWith, execution, factsWith, specWith } from '../../../../fakes/specs.ts';

/** 30 of 90 days of `factsWith()` are left. */
const now = new Date('2026-03-02T00:00:00Z');
const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
const failure = { count: 1, issuerFailures: 0, last: '2026-03-01T00:00:00Z', error: 'CaaError', cause: 'CAA.' };

/** Returns the metrics of a fleet of these certificates. */
function metricsOf(...records: readonly (Partial<LedgerCertificate> & { readonly spec?: CertificateSpec | null })[]) {
  const gauges = records.reduce(
    (before, { spec = specWith(), ...record }) =>
      withCertificate(before, spec ?? undefined, { ...emptyRecord, ...record }, now),
    emptyGauges,
  );
  return gaugeMetrics(gauges, records.length);
}

test('a fleet without certificates in use has no lifetime', () => {
  expect(metricsOf({})).toEqual({
    Certificates: 1,
    Failing: 0,
    FailingForADay: 0,
    NeverIssued: 0,
    NotServed: 0,
    LeftoverTxtValues: 0,
    OldestLease: 0,
  });
});

test('the least lifetime and the least days may be those of different certificates', () => {
  const short = factsWith({ notBefore: '2026-02-28T00:00:00Z', notAfter: '2026-03-06T00:00:00Z' });
  const metrics = metricsOf({ current: factsWith() }, { current: short });
  expect(metrics.LeastLifetimeLeft).toBeCloseTo(33.33, 2);
  expect(metrics.LeastDaysLeft).toBe(4);
});

test('an expired certificate has 0 percent and negative days left', () => {
  const expired = factsWith({ notAfter: '2026-03-01T00:00:00Z' });
  expect(metricsOf({ current: expired })).toMatchObject({ LeastLifetimeLeft: 0, LeastDaysLeft: -1 });
});

test.each([
  ['an older version', deliveryWith({ versionId: 'version-0', notAfter: '2026-03-07T00:00:00Z' }), 5],
  [
    'a certificate of another writer',
    deliveryWith({ found: { notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-03-10T00:00:00Z' } }),
    8,
  ],
  ['nothing, because the import was deleted', deliveryWith({ found: null, notAfter: '2026-03-07T00:00:00Z' }), 30],
])('a region that has %s counts with what is there', (_, delivery, days) => {
  const record = { current: factsWith(), deliveries: { 'us-east-1': delivery } };
  expect(metricsOf({ ...record, spec: specWith({ regions: ['us-east-1'] }) }).LeastDaysLeft).toBe(days);
  expect(metricsOf({ ...record, spec: specWith({ regions: [] }) }).LeastDaysLeft).toBe(30);
});

test('a certificate that was not issued within a day after its first execution counts, with 0 percent', () => {
  const issued = { current: factsWith(), firstLeasedAt: '2026-01-01T00:00:00Z' };
  expect(metricsOf(issued, { firstLeasedAt: '2026-03-01T00:00:01Z' })).toMatchObject({ NeverIssued: 0 });
  expect(metricsOf(issued, { firstLeasedAt: '2026-03-01T00:00:00Z' })).toMatchObject({
    NeverIssued: 1,
    LeastLifetimeLeft: 0,
    LeastDaysLeft: 30,
  });
});

test('failures and endpoints that are not served are counted by certificate', () => {
  const endpoints = [
    { endpoint: 'www.example.com:443', status: 'other' as const, serialNumber: 'ff', detail: 'it presents ff' },
  ];
  const served = { versionId: 'version-1', at: '2026-03-01T00:00:00Z', served: false, endpoints };
  const spec = specWith({ endpoints: ['www.example.com:443'] });
  expect(metricsOf({ current: factsWith(), served, spec }, { failure }, { failure }, {})).toMatchObject({
    Certificates: 4,
    Failing: 2,
    NotServed: 1,
  });
});

test('an endpoint is not counted while its server may still load the certificate, for an hour at most', () => {
  const endpoints = [
    { endpoint: 'www.example.com:443', status: 'other' as const, serialNumber: 'ff', detail: 'it presents ff' },
  ];
  const spec = specWith({ endpoints: ['www.example.com:443'] });
  const notServed = (at: string) => {
    const served = { versionId: 'version-1', at, served: false, again: true, endpoints };
    return metricsOf({ current: factsWith(), served, spec }).NotServed;
  };
  expect(notServed('2026-03-01T23:00:01Z')).toBe(0);
  expect(notServed('2026-03-01T23:00:00Z')).toBe(1);
});

test('a certificate counts as failing for a day from a day after the first failure since its last success', () => {
  const since = (first: string) => ({ failure: { ...failure, count: 4, last: '2026-03-01T23:00:00Z', first } });
  expect(metricsOf(since('2026-03-01T00:00:01Z'))).toMatchObject({ Failing: 1, FailingForADay: 0 });
  expect(metricsOf(since('2026-03-01T00:00:00Z'))).toMatchObject({ Failing: 1, FailingForADay: 1 });
  expect(metricsOf({ failure: { ...failure, last: '2026-02-28T00:00:00Z' } })).toMatchObject({ FailingForADay: 1 });
  const paused = { ...since('2026-03-01T00:00:00Z'), pausedUntil: '2026-03-03T00:00:00Z' };
  expect(metricsOf(paused)).toMatchObject({ FailingForADay: 0 });
});

test('TXT values count unless an execution works on the certificate, also if it is no longer configured', () => {
  const held = { lease: execution, leasedAt: '2026-03-01T23:00:00Z' };
  const metrics = metricsOf(
    { leftovers: [leftover, { ...leftover, value: '2' }] },
    { leftovers: [leftover], ...held },
    { leftovers: [leftover], failure, current: factsWith({ notAfter: '2026-03-03T00:00:00Z' }), spec: null },
  );
  expect(metrics).toMatchObject({ LeftoverTxtValues: 3, OldestLease: 3600, Failing: 0 });
  expect(metrics).not.toHaveProperty('LeastDaysLeft');
});

test('a lease that was left on a certificate that is no longer configured does not count', () => {
  const left = { lease: execution, leasedAt: '2026-02-01T00:00:00Z' };
  expect(withCertificate(emptyGauges, undefined, { ...emptyRecord, ...left }, now).oldestLease).toBe(0);
});

test('a pause keeps a certificate from counting as failing or never issued, until an emergency or its end', () => {
  const paused = { pausedUntil: '2026-05-01T00:00:00Z', failure };
  const never = { firstLeasedAt: '2026-02-01T00:00:00Z' };
  const soon = factsWith({ notAfter: '2026-03-03T00:00:00Z' });
  expect(metricsOf({ ...paused, ...never }, { ...paused, current: factsWith() })).toMatchObject({
    Failing: 0,
    NeverIssued: 0,
    LeastDaysLeft: 30,
  });
  expect(metricsOf({ ...paused, current: soon })).toMatchObject({ Failing: 1, LeastDaysLeft: 1 });
  expect(metricsOf({ ...paused, current: factsWith(), revokedVersion: 'version-1' })).toMatchObject({ Failing: 1 });
  expect(metricsOf({ ...paused, ...never, pausedUntil: '2026-03-01T00:00:00Z' })).toMatchObject({
    Failing: 1,
    NeverIssued: 1,
    LeastLifetimeLeft: 0,
  });
});

test('the oldest lease counts, in seconds', () => {
  const heldSince = (leasedAt: string) => ({ lease: execution, leasedAt });
  expect(metricsOf(heldSince('2026-03-01T23:59:00Z'), heldSince('2026-03-01T20:00:00Z')).OldestLease).toBe(14_400);
});

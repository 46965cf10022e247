import { describe, expect, test } from 'vitest';
import type { CertificateFacts, CertificateSpec } from '../../../lambdas/rules/contract.ts';
import { emptyRecord } from '../../../lambdas/rules/ledger-record.ts';
import type { LedgerCertificate } from '../../../lambdas/rules/ports.ts';
import {
  decideRenewal,
  dueReason,
  fleetReason,
  type RenewalSituation,
  regionsBehind,
} from '../../../lambdas/rules/renewal-decision.ts';
import { factsWith, issuer, specWith } from '../../fakes/specs.ts';

const quiet = new Date('2026-02-01T00:00:00Z');
const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
const delivered = (versionId: string) => ({ arn: 'arn:aws:acm:x', versionId, keyType: 'P-256' as const });

describe('due', () => {
  const reissues: readonly (readonly [string, Parameters<typeof specWith>[0], Partial<CertificateFacts>, string])[] = [
    ['a name more', { identifiers: ['example.com', 'www.example.com'] }, {}, 'identifiers changed'],
    ['a name less', {}, { identifiers: ['example.com', 'www.example.com'] }, 'identifiers changed'],
    ['another name', { identifiers: ['example.net'] }, {}, 'identifiers changed'],
    ['another key type', { keyType: 'RSA-2048' }, {}, 'key type changed from P-256 to RSA-2048'],
    [
      'another issuer',
      { issuer: { ...issuer, name: 'other-ca', directoryUrl: 'https://other.test/directory' } },
      {},
      'issuer changed to other-ca',
    ],
    ['a profile', { profile: 'shortlived' }, {}, 'profile changed to shortlived'],
    ['the profile gone', {}, { profile: 'shortlived' }, "profile changed to the issuer's default"],
  ];
  test.each(reissues)('with %s, long before its time', (_, spec, facts, reason) => {
    expect(dueReason(specWith(spec), factsWith(facts), quiet)).toBe(reason);
  });

  test('when it was never issued', () => {
    expect(dueReason(specWith(), null, quiet)).toBe('never issued');
  });

  test.each([
    ['2026-03-01T23:59:59.999Z', null],
    ['2026-03-02T00:00:00.000Z', 'due since 2026-03-02T00:00:00.000Z, expires 2026-04-01T00:00:00Z'],
    ['2026-05-01T00:00:00.000Z', 'due since 2026-03-02T00:00:00.000Z, expires 2026-04-01T00:00:00Z'],
  ])('at %s: %s', (now, reason) => {
    expect(dueReason(specWith(), factsWith(), new Date(now))).toBe(reason);
  });

  const indifferent: readonly (readonly [string, Partial<CertificateSpec>])[] = [
    ['regions', { regions: ['us-east-1'] }],
    ['the name of the issuer', { issuer: { ...issuer, name: 'renamed' } }],
    ['contacts', { issuer: { ...issuer, contact: ['mailto:tls@example.com'] } }],
    ['hosted zones', { hostedZones: [] }],
  ];
  test.each(indifferent)('not for a change of %s', (_, spec) => {
    expect(dueReason(specWith(spec), factsWith(), quiet)).toBeNull();
  });
});

test.each([
  ['none is wanted', [], {}, []],
  ['none has it', ['eu-west-1', 'us-east-1'], {}, ['eu-west-1', 'us-east-1']],
  [
    'one has an older version',
    ['eu-west-1', 'us-east-1'],
    { 'eu-west-1': 'version-1', 'us-east-1': 'version-0' },
    ['us-east-1'],
  ],
  ['all have it', ['eu-west-1'], { 'eu-west-1': 'version-1' }, []],
  ['one is no longer wanted', [], { 'eu-west-1': 'version-0' }, []],
] as const)('regions behind, when %s', (_, regions, versions, behind) => {
  const deliveries = Object.fromEntries(Object.entries(versions).map(([region, id]) => [region, delivered(id)]));
  const record = { ...emptyRecord, current: factsWith(), deliveries };
  expect(regionsBehind(specWith({ regions }), record)).toEqual(behind);
});

describe('what to do', () => {
  function decide(
    record: Partial<LedgerCertificate>,
    situation: Partial<RenewalSituation> = {},
    now = '2026-02-01T00:00:00Z',
  ): string {
    return decideRenewal(
      {
        spec: specWith(),
        record: { ...emptyRecord, ...record },
        storedVersion: record.current?.versionId ?? null,
        force: false,
        cleaned: false,
        ...situation,
      },
      new Date(now),
    ).action;
  }
  const current = factsWith();
  const elsewhere = specWith({ regions: ['us-east-1'] });

  test.each([
    ['nothing, when all is well', 'none', decide({ current })],
    ['issue, when it is due', 'issue', decide({ current }, {}, '2026-03-20T00:00:00Z')],
    ['issue, when it never was', 'issue', decide({})],
    ['issue, when a person insists', 'issue', decide({ current }, { force: true })],
    ['clean first, whatever else', 'clean', decide({ current, leftovers: [leftover] }, { force: true })],
    ['go on after cleaning', 'none', decide({ current, leftovers: [leftover] }, { cleaned: true })],
    ['repair rather than order', 'repair', decide({ current }, { storedVersion: 'newer' }, '2026-03-20T00:00:00Z')],
    ['repair when the ledger is empty', 'repair', decide({}, { storedVersion: 'version-1' })],
    [
      'order when a person insists, though the ledger is behind',
      'issue',
      decide({}, { storedVersion: 'x', force: true }),
    ],
    ['issue when the secret is gone', 'issue', decide({ current }, { storedVersion: null })],
    ['deliver what is good', 'deliver', decide({ current }, { spec: elsewhere })],
    [
      'issue what is due rather than deliver it',
      'issue',
      decide({ current }, { spec: elsewhere }, '2026-03-20T00:00:00Z'),
    ],
  ])('%s', (_, action, decided) => {
    expect(decided).toBe(action);
  });
});

describe('a fleet run starts', () => {
  const now = new Date('2026-03-20T00:00:00Z');
  const record = (fields: Partial<LedgerCertificate>): LedgerCertificate => ({ ...emptyRecord, ...fields });
  const fresh = factsWith({ notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-06-08T00:00:00Z' });

  test.each([
    ['nothing before notBefore', record({ notBefore: '2026-03-20T00:00:01Z' }), null],
    ['what is due at notBefore', record({ notBefore: '2026-03-20T00:00:00Z' }), 'never issued'],
    [
      'what left values in DNS',
      record({ current: fresh, leftovers: [leftover] }),
      '1 TXT values were left by an earlier run',
    ],
    ['nothing that is well', record({ current: fresh }), null],
    [
      'what failed before and has no date',
      record({ failure: { count: 9, last: '2026-03-19T00:00:00Z', error: 'CaaError', cause: '' } }),
      'never issued',
    ],
  ])('%s', (_, seen, reason) => {
    expect(fleetReason(specWith(), seen, now)).toBe(reason);
  });

  test('what a region lacks', () => {
    expect(fleetReason(specWith({ regions: ['us-east-1'] }), record({ current: fresh }), now)).toMatch(/us-east-1/);
  });
});

import { describe, expect, test } from 'vitest';
import type { CertificateFacts } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec } from '../../../../../lambdas/domain/contract/config.ts';
import type { LedgerCertificate, SavedRenewalInfo } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import { fleetDecision } from '../../../../../lambdas/domain/rules/renewal/fleet-decision.ts';
import { postponedReason } from '../../../../../lambdas/domain/rules/renewal/postponement.ts';
import {
  decideRenewal,
  dueReason,
  type RenewalSituation,
  regionsBehind,
} from '../../../../../lambdas/domain/rules/renewal/renewal-decision.ts';
import { deliveryWith, factsWith, issuer, specWith } from '../../../../fakes/specs.ts';
import { failure, leftover, newer, order, record, suggested } from './ledger-situations.ts';

const quiet = new Date('2026-02-01T00:00:00Z');
const delivered = (versionId: string) => deliveryWith({ versionId });
const fallback = { ...issuer, name: 'fallback-ca', directoryUrl: 'https://fallback.test/directory' };
const withId = factsWith({ certificateId: 'key.01' });

describe('a certificate is due', () => {
  const due = (spec: CertificateSpec, current: CertificateFacts | null, now: Date) =>
    dueReason(spec, record({ current }), now);

  const reissues: readonly (readonly [string, Parameters<typeof specWith>[0], Partial<CertificateFacts>, string])[] = [
    ['an additional name', { identifiers: ['example.com', 'www.example.com'] }, {}, 'identifiers changed'],
    ['one name fewer', {}, { identifiers: ['example.com', 'www.example.com'] }, 'identifiers changed'],
    ['another name', { identifiers: ['example.net'] }, {}, 'identifiers changed'],
    ['another key type', { keyType: 'RSA-2048' }, {}, 'key type changed from P-256 to RSA-2048'],
    [
      'another issuer',
      { issuer: { ...issuer, name: 'other-ca', directoryUrl: 'https://other.test/directory' } },
      {},
      'issuer changed to other-ca',
    ],
    ['a profile', { profile: 'shortlived' }, {}, 'profile changed to shortlived'],
    ['the profile removed', {}, { profile: 'shortlived' }, "profile changed to the issuer's default"],
    [
      'a profile that a fallback would have offered',
      { profile: 'shortlived', issuers: [issuer, fallback] },
      { directoryUrl: fallback.directoryUrl, profile: 'classic' },
      'profile changed to shortlived',
    ],
  ];
  test.each(reissues)('with %s, long before its renewal time', (_, spec, facts, reason) => {
    expect(due(specWith(spec), factsWith(facts), quiet)).toBe(reason);
  });

  test('when it was never issued', () => {
    expect(due(specWith(), null, quiet)).toBe('never issued');
  });

  test.each([
    ['2026-03-01T23:59:59.999Z', null],
    ['2026-03-02T00:00:00.000Z', 'due since 2026-03-02T00:00:00.000Z, expires 2026-04-01T00:00:00Z'],
    ['2026-03-27T11:59:59.999Z', 'due since 2026-03-02T00:00:00.000Z, expires 2026-04-01T00:00:00Z'],
    ['2026-03-27T12:00:00.000Z', 'expires 2026-04-01T00:00:00Z, which is an emergency'],
    ['2026-05-01T00:00:00.000Z', 'expires 2026-04-01T00:00:00Z, which is an emergency'],
  ])('at %s: %s', (now, reason) => {
    expect(due(specWith(), factsWith(), new Date(now))).toBe(reason);
  });

  const indifferent: readonly (readonly [string, Partial<CertificateSpec>])[] = [
    ['regions', { regions: ['us-east-1'] }],
    ['the name of the issuer', { issuer: { ...issuer, name: 'renamed' } }],
    ['contacts', { issuer: { ...issuer, contact: ['mailto:tls@example.com'] } }],
    ['hosted zones', { hostedZones: [] }],
    ['fallbacks', { issuers: [issuer, fallback] }],
    ['the issuer that is used now', { issuer: fallback, issuers: [issuer, fallback] }],
  ];
  test.each(indifferent)('not for a change of %s', (_, spec) => {
    expect(due(specWith(spec), factsWith(), quiet)).toBeNull();
  });

  test('not because it was issued by a fallback', () => {
    const current = factsWith({ directoryUrl: fallback.directoryUrl });
    expect(due(specWith({ issuers: [issuer, fallback] }), current, quiet)).toBeNull();
  });

  test('not because a fallback that does not offer the profile was asked for its default', () => {
    const current = factsWith({ directoryUrl: fallback.directoryUrl, profile: null });
    expect(due(specWith({ profile: 'shortlived', issuers: [issuer, fallback] }), current, quiet)).toBeNull();
  });

  describe("by the CA's window", () => {
    const early = suggested('2026-01-20T00:00:00Z', '2026-01-20T00:00:01Z', 'https://ca.test/drill');
    const late = suggested('2026-03-20T00:00:00Z', '2026-03-20T00:00:01Z');
    const never = suggested('2026-03-31T00:00:00Z', '2026-03-31T00:00:01Z');

    test.each<[string, SavedRenewalInfo, string, string | null]>([
      [
        'in the past, as after a revocation: at once, with the link that explains it',
        early,
        '2026-01-20T00:00:00Z',
        'due since 2026-01-20T00:00:00.000Z in the window that its CA suggests, 2026-01-20T00:00:00Z to 2026-01-20T00:00:01Z (https://ca.test/drill), expires 2026-04-01T00:00:00Z',
      ],
      ['not before its renewal time', early, '2026-01-19T23:59:59Z', null],
      ['not before a window later than the time by dates', late, '2026-03-19T23:59:59Z', null],
      [
        'later than a third left: then',
        late,
        '2026-03-20T00:00:00Z',
        'due since 2026-03-20T00:00:00.000Z in the window that its CA suggests, 2026-03-20T00:00:00Z to 2026-03-20T00:00:01Z, expires 2026-04-01T00:00:00Z',
      ],
      [
        'in an emergency, even before a late window',
        never,
        '2026-03-27T12:00:00Z',
        'expires 2026-04-01T00:00:00Z, which is an emergency',
      ],
      ["another certificate's: not", { ...early, certificateId: 'key.00' }, '2026-02-01T00:00:00Z', null],
      ['by its dates, where no window is known', { ...early, start: null, end: null }, '2026-02-01T00:00:00Z', null],
    ])('%s', (_, renewalInfo, now, reason) => {
      expect(dueReason(specWith(), record({ current: withId, renewalInfo }), new Date(now))).toBe(reason);
    });
  });
});

test.each([
  ['no region is configured', [], {}, []],
  ['no region has the version', ['eu-west-1', 'us-east-1'], {}, ['eu-west-1', 'us-east-1']],
  [
    'one has an older version',
    ['eu-west-1', 'us-east-1'],
    { 'eu-west-1': 'version-1', 'us-east-1': 'version-0' },
    ['us-east-1'],
  ],
  ['all regions have the version', ['eu-west-1'], { 'eu-west-1': 'version-1' }, []],
  ['one region is no longer configured', [], { 'eu-west-1': 'version-0' }, []],
] as const)('regions behind, when %s', (_, regions, versions, behind) => {
  const deliveries = Object.fromEntries(Object.entries(versions).map(([region, id]) => [region, delivered(id)]));
  expect(regionsBehind(specWith({ regions }), record({ current: factsWith(), deliveries }))).toEqual(behind);
});

test('a region is behind if the comparison found its import deleted, and not if it found another certificate', () => {
  const spec = specWith({ regions: ['eu-west-1', 'us-east-1'] });
  const found = { notBefore: '2026-01-05T00:00:00Z', notAfter: '2026-04-05T00:00:00Z' };
  const deliveries = { 'eu-west-1': deliveryWith({ found: null }), 'us-east-1': deliveryWith({ found }) };
  expect(regionsBehind(spec, record({ current: factsWith(), deliveries }))).toEqual(['eu-west-1']);
});

const situationOf = (
  fields: Partial<LedgerCertificate>,
  situation: Partial<RenewalSituation> = {},
): RenewalSituation => ({
  spec: specWith(),
  record: record(fields),
  storedVersion: fields.current?.versionId ?? null,
  force: false,
  cleaned: false,
  retrying: false,
  deployedAt: null,
  checkInterval: 21_600,
  ...situation,
});

describe('the decision is to', () => {
  function decide(
    fields: Partial<LedgerCertificate>,
    situation: Partial<RenewalSituation> = {},
    now = '2026-02-01T00:00:00Z',
  ): string {
    return decideRenewal(situationOf(fields, situation), new Date(now)).action;
  }
  const current = factsWith();
  const elsewhere = specWith({ regions: ['us-east-1'] });
  const dueDay = '2026-03-20T00:00:00Z';
  const emergency = '2026-03-28T00:00:00Z';
  const tomorrow = { failure, notBefore: '2026-02-02T00:00:00Z' };

  test.each([
    ['do nothing when nothing is due', 'none', decide({ current })],
    ['issue when it is due', 'issue', decide({ current }, {}, dueDay)],
    ['issue when it was never issued', 'issue', decide({})],
    ['issue when the operator forces it', 'issue', decide({ current }, { force: true })],
    ['clean before anything else', 'clean', decide({ current, leftovers: [leftover] }, { force: true })],
    ['continue after cleaning', 'none', decide({ current, leftovers: [leftover] }, { cleaned: true })],
    ['repair before an order', 'repair', decide({ current }, { storedVersion: newer }, dueDay)],
    [
      'share the secret when it has other readers than are configured',
      'share',
      decide({ current }, { spec: specWith({ readers: ['arn:aws:iam::444455556666:root'] }) }),
    ],
    [
      'deliver before readers are set',
      'deliver',
      decide({ current }, { spec: specWith({ regions: ['us-east-1'], readers: ['arn:aws:iam::444455556666:root'] }) }),
    ],
    [
      'check endpoints before readers are set, which may be refused at every run',
      'checkEndpoints',
      decide(
        { current },
        { spec: specWith({ endpoints: ['www.example.com:443'], readers: ['arn:aws:iam::444455556666:root'] }) },
      ),
    ],
    [
      'repair before it is shared, when the ledger does not know the certificate',
      'repair',
      decide({ current }, { storedVersion: newer, spec: specWith({ readers: ['arn:aws:iam::444455556666:root'] }) }),
    ],
    ['repair when the ledger has no certificate', 'repair', decide({}, { storedVersion: newer })],
    [
      'order when a person insists, though the ledger is behind',
      'issue',
      decide({}, { storedVersion: 'x', force: true }),
    ],
    ['issue when the secret was deleted', 'issue', decide({ current }, { storedVersion: null })],
    ['deliver a certificate that is not due', 'deliver', decide({ current }, { spec: elsewhere })],
    [
      'issue a due certificate before delivering the old one',
      'issue',
      decide({ current }, { spec: elsewhere }, dueDay),
    ],
  ])('%s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  const foreign = 'c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11';
  test.each([
    ['is kept while the renewal is not due', 'none', decide({ current }, { storedVersion: foreign })],
    ['is not delivered', 'none', decide({ current }, { storedVersion: foreign, spec: elsewhere })],
    ['is not announced', 'none', decide({ current, announcedVersion: 'version-0' }, { storedVersion: foreign })],
    ['is replaced when the renewal is due', 'issue', decide({ current }, { storedVersion: foreign }, dueDay)],
    ['is replaced when the operator forces it', 'issue', decide({ current }, { storedVersion: foreign, force: true })],
    ['is replaced by an order that was begun before', 'resume', decide({ current, order }, { storedVersion: foreign })],
    ['is replaced if no certificate was ever issued', 'issue', decide({}, { storedVersion: foreign })],
    [
      'keeps its readers as configured',
      'share',
      decide({ current }, { storedVersion: foreign, spec: specWith({ readers: ['arn:aws:iam::444455556666:root'] }) }),
    ],
  ])('a value that another writer stored %s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  test('keep a value that another writer stored, with its version and the renewal time as the reason', () => {
    expect(decideRenewal(situationOf({ current }, { storedVersion: foreign }), quiet).reason).toBe(
      `the secret holds version ${foreign}, which this stack did not store, renewal is due 2026-03-02T00:00:00.000Z`,
    );
  });

  const watched = specWith({ endpoints: ['www.example.com:443'] });
  const endpoints = [{ endpoint: 'www.example.com:443', status: 'served' as const, serialNumber: '0A01', detail: '' }];
  const looked = (at: string) => ({ current, served: { versionId: 'version-1', at, served: true, endpoints } });
  const notServed = (at: string, again = false) => ({
    current,
    served: {
      ...{ versionId: 'version-1', at, served: false, ...(again && { again }) },
      endpoints: [{ endpoint: 'www.example.com:443', status: 'other' as const, serialNumber: '0A00', detail: '' }],
    },
  });
  test.each([
    ['are checked when they never were', 'checkEndpoints', decide({ current }, { spec: watched })],
    ['are checked once a day', 'checkEndpoints', decide(looked('2026-01-31T00:00:00Z'), { spec: watched })],
    ['are not checked again within a day', 'none', decide(looked('2026-01-31T12:00:00Z'), { spec: watched })],
    [
      'are checked again by the next run while they do not serve the certificate',
      'checkEndpoints',
      decide(notServed('2026-01-31T23:00:00Z'), { spec: watched }),
    ],
    [
      'are not checked by a second execution while the first one checks them again',
      'none',
      decide(notServed('2026-01-31T23:30:00Z', true), { spec: watched }),
    ],
    [
      'are checked once a day before readers, which may be refused at every run, and otherwise after them',
      'share',
      decide(notServed('2026-01-31T23:00:00Z'), {
        spec: { ...watched, readers: ['arn:aws:iam::444455556666:root'] },
      }),
    ],
    [
      'are not checked again while a deployment waits for the certificate',
      'none',
      decide(notServed('2026-01-31T23:00:00Z'), { spec: watched, deployedAt: new Date('2026-02-01T00:00:00Z') }),
    ],
    ['are checked after a delivery', 'deliver', decide({ current }, { spec: { ...watched, regions: ['us-east-1'] } })],
    ['are checked after a renewal', 'issue', decide({ current }, { spec: watched }, dueDay)],
    [
      'are checked after leftover values are removed',
      'clean',
      decide({ current, leftovers: [leftover] }, { spec: watched }),
    ],
    ['are not checked before the notBefore time', 'none', decide({ current, ...tomorrow }, { spec: watched })],
    [
      'do not keep a deployment waiting',
      'none',
      decide({ current }, { spec: watched, deployedAt: new Date('2026-02-01T00:00:00Z') }),
    ],
    ['are not checked before the first certificate', 'issue', decide({}, { spec: watched })],
  ])('the servers %s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  test.each([
    ['is resumed, due or not', 'resume', decide({ current, order })],
    [
      'is resumed with its values, which are not cleaned first',
      'resume',
      decide({ current, order, leftovers: [leftover] }),
    ],
    ['is resumed when the operator forces a renewal', 'resume', decide({ current, order }, { force: true })],
    ['is resumed when the secret was deleted', 'resume', decide({ current, order }, { storedVersion: null })],
    [
      'is not resumed when its certificate is in the secret',
      'repair',
      decide({ current, order }, { storedVersion: newer }),
    ],
    [
      'has its values cleaned when its certificate is in the secret',
      'clean',
      decide({ current, order, leftovers: [leftover] }, { storedVersion: newer }),
    ],
    [
      'that expired has its values cleaned',
      'clean',
      decide({ current, order: { ...order, expires: '2026-01-31T00:00:00Z' }, leftovers: [leftover] }),
    ],
    [
      'that has expired is not resumed',
      'none',
      decide({ current, order: { ...order, expires: '2026-01-31T00:00:00Z' } }),
    ],
    ['of another configuration is not resumed', 'issue', decide({ order: { ...order, specHash: 'other' } })],
    ['of another issuer is not resumed', 'issue', decide({ order: { ...order, directoryUrl: fallback.directoryUrl } })],
    ['is not resumed before the notBefore time', 'none', decide({ current, order, ...tomorrow })],
    [
      'is resumed by the restart of an interrupted execution',
      'resume',
      decide({ current, order, ...tomorrow }, { retrying: true }),
    ],
  ])('a saved order %s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  test.each([
    ['nothing is ordered', 'none', decide({ ...tomorrow })],
    ['nothing is delivered', 'none', decide({ current, ...tomorrow }, { spec: elsewhere })],
    ['leftover values are removed', 'clean', decide({ leftovers: [leftover], ...tomorrow })],
    ['the values of an order are removed', 'clean', decide({ order, leftovers: [leftover], ...tomorrow })],
    ['a forced renewal is issued', 'issue', decide({ ...tomorrow }, { force: true })],
    [
      'a corrected configuration is attempted',
      'issue',
      decide({ ...tomorrow, failure: { ...failure, error: 'InvalidProfileError', specHash: 'before' } }),
    ],
    [
      'the same configuration waits',
      'none',
      decide({ ...tomorrow, failure: { ...failure, error: 'InvalidProfileError', specHash: specWith().specHash } }),
    ],
    ['a later attempt of the same execution issues', 'issue', decide({ ...tomorrow }, { retrying: true })],
    ['an emergency is issued', 'issue', decide({ current, failure, notBefore: '2026-03-29T00:00:00Z' }, {}, emergency)],
    [
      'an emergency waits until 100 minutes after the last attempt',
      'none',
      decide(
        { current, failure: { ...failure, last: '2026-03-27T22:21:00Z' }, notBefore: '2026-03-29T00:00:00Z' },
        {},
        emergency,
      ),
    ],
    ['the renewal is issued at that time', 'issue', decide({ ...tomorrow }, {}, '2026-02-02T00:00:00Z')],
  ])('with a notBefore time, %s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  test('a changed configuration and a deployment wait for the notBefore time of a limit, and of no other failure', () => {
    const failed = { ...tomorrow, failure: { ...failure, specHash: 'before' } };
    const limited = { ...tomorrow, failure: { ...failed.failure, limit: true as const } };
    const deployedAt = new Date(Date.parse(failure.last) + 1);
    for (const rights of [{}, { deployedAt }]) {
      expect(decide(limited, rights)).toBe('none');
      expect(decide(failed, rights)).not.toBe('none');
    }
  });

  test('the reason names the notBefore time, the count and the error', () => {
    expect(postponedReason(situationOf({ current, ...tomorrow }), new Date('2026-02-01T00:00:00Z'))).toBe(
      'no attempt before 2026-02-02T00:00:00Z, after 4 failures, the last one CaaError',
    );
  });

  describe("a renewal time inside the CA's window", () => {
    const soon = suggested('2026-02-01T06:59:59Z', '2026-02-01T06:59:59.5Z');
    const at = (renewalInfo: SavedRenewalInfo, situation: Partial<RenewalSituation> = {}) =>
      decideRenewal(situationOf({ current: withId, renewalInfo }, situation), quiet);

    test('before the next fleet run is waited for', () => {
      expect(at(soon)).toEqual({
        action: 'wait',
        wait: 25_199,
        reason:
          'renewal time 2026-02-01T06:59:59.000Z in the window that its CA suggests, 2026-02-01T06:59:59Z to 2026-02-01T06:59:59.5Z is before the next check',
      });
    });

    test('is waited for before readers are changed', () => {
      const spec = specWith({ readers: ['arn:aws:iam::444455556666:root'] });
      const soon = suggested('2026-02-01T05:00:00Z', '2026-02-01T05:00:00.5Z');
      expect(at(soon, { spec }).action).toBe('wait');
    });

    test('is waited for at most a day, and then the CA is asked again', () => {
      const days = suggested('2026-02-03T00:00:00Z', '2026-02-03T00:00:00.5Z');
      expect(at(days, { checkInterval: 3 * 86_400 })).toMatchObject({ action: 'wait', wait: 86_400 });
    });

    test('after the next fleet run is left to that run', () => {
      expect(at(suggested('2026-02-01T07:00:00Z', '2026-02-01T07:00:00.5Z'))).toEqual({
        action: 'none',
        wait: 0,
        reason: 'nothing to do, renewal is due 2026-02-01T07:00:00.000Z',
      });
    });

    test('is waited for only when there is nothing else to do', () => {
      expect(at(soon, { spec: elsewhere }).action).toBe('deliver');
      expect(at(soon, { force: true }).action).toBe('issue');
    });
  });
});

describe('while the operator has paused renewals', () => {
  const due = new Date('2026-03-10T00:00:00Z');
  const emergency = new Date('2026-03-28T00:00:00Z');
  const paused = record({ current: factsWith(), pausedUntil: '2026-05-01T00:00:00Z', order });
  const decide = (now: Date, fields: Partial<RenewalSituation> = {}) =>
    decideRenewal(
      {
        ...{ spec: specWith(), record: paused, storedVersion: 'version-1', force: false, cleaned: false },
        ...{ retrying: false, deployedAt: null, checkInterval: 21_600, ...fields },
      },
      now,
    );

  test('neither a fleet run nor Check renewal does anything, although the certificate is due and an order is unfinished', () => {
    expect(fleetDecision(specWith(), paused, 21_600, due)).toBeNull();
    expect(decide(due)).toMatchObject({ action: 'none', reason: 'renewals are paused until 2026-05-01T00:00:00Z' });
  });

  test.each([
    ['an emergency', () => decide(emergency)],
    [
      'the revocation of the certificate in use',
      () => decide(due, { record: { ...paused, revokedVersion: 'version-1' } }),
    ],
    ['force', () => decide(due, { force: true })],
    ['the end of the pause', () => decide(due, { record: { ...paused, pausedUntil: '2026-03-09T00:00:00Z' } })],
  ])('%s passes the pause', (_, decision) => {
    expect(decision().action).toBe('resume');
  });

  test('a fleet run starts the replacement of a revoked certificate', () => {
    const revoked = { ...paused, order: null, revokedVersion: 'version-1' };
    expect(fleetDecision(specWith(), revoked, 21_600, due)).toMatchObject({
      action: 'issue',
      reason: '0a01 was revoked',
    });
  });

  test('leftover TXT values are removed', () => {
    expect(decide(due, { record: { ...paused, order: null, leftovers: [leftover] } }).action).toBe('clean');
  });
});

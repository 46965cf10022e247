import { describe, expect, test } from 'vitest';
import type { CertificateFacts } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec } from '../../../../../lambdas/domain/contract/config.ts';
import type { LedgerCertificate, SavedOrder, SavedRenewalInfo } from '../../../../../lambdas/domain/ports/ledger.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import {
  decideRenewal,
  dueReason,
  fleetDecision,
  type RenewalSituation,
  regionsBehind,
  replacedCertificate,
  retryNotBeforeReason,
} from '../../../../../lambdas/domain/rules/renewal/renewal-decision.ts';
import { execution, factsWith, issuer, specWith } from '../../../../fakes/specs.ts';

const quiet = new Date('2026-02-01T00:00:00Z');
const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
const delivered = (versionId: string) => ({ arn: 'arn:aws:acm:x', versionId, keyType: 'P-256' as const });

const failure = {
  count: 4,
  issuerFailures: 0,
  last: '2026-01-31T12:00:00Z',
  error: 'CaaError',
  cause: 'CAA forbids it.',
};
const fallback = { ...issuer, name: 'fallback-ca', directoryUrl: 'https://fallback.test/directory' };
const order: SavedOrder = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: '2026-06-01T00:00:00Z',
  execution,
  specHash: specWith().specHash,
  directoryUrl: issuer.directoryUrl,
};

/** Of a certificate `key.01`; the shorter the window, the nearer its second to the start. */
function suggested(start: string, end: string, explanationUrl: string | null = null): SavedRenewalInfo {
  return { certificateId: 'key.01', start, end, explanationUrl, nextFetch: '2026-02-01T06:00:00Z' };
}
const record = (fields: Partial<LedgerCertificate>): LedgerCertificate => ({ ...emptyRecord, ...fields });
const withId = factsWith({ certificateId: 'key.01' });

describe('due', () => {
  const due = (spec: CertificateSpec, current: CertificateFacts | null, now: Date) =>
    dueReason(spec, record({ current }), now);

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
    expect(due(specWith(spec), factsWith(facts), quiet)).toBe(reason);
  });

  test('when it was never issued', () => {
    expect(due(specWith(), null, quiet)).toBe('never issued');
  });

  test.each([
    ['2026-03-01T23:59:59.999Z', null],
    ['2026-03-02T00:00:00.000Z', 'due since 2026-03-02T00:00:00.000Z, expires 2026-04-01T00:00:00Z'],
    ['2026-03-27T11:59:59.999Z', 'due since 2026-03-02T00:00:00.000Z, expires 2026-04-01T00:00:00Z'],
    ['2026-03-27T12:00:00.000Z', 'expires 2026-04-01T00:00:00Z, too soon to wait any longer'],
    ['2026-05-01T00:00:00.000Z', 'expires 2026-04-01T00:00:00Z, too soon to wait any longer'],
  ])('at %s: %s', (now, reason) => {
    expect(due(specWith(), factsWith(), new Date(now))).toBe(reason);
  });

  const indifferent: readonly (readonly [string, Partial<CertificateSpec>])[] = [
    ['regions', { regions: ['us-east-1'] }],
    ['the name of the issuer', { issuer: { ...issuer, name: 'renamed' } }],
    ['contacts', { issuer: { ...issuer, contact: ['mailto:tls@example.com'] } }],
    ['hosted zones', { hostedZones: [] }],
    ['fallbacks', { issuers: [issuer, fallback] }],
    ['the issuer whose turn it is', { issuer: fallback, issuers: [issuer, fallback] }],
  ];
  test.each(indifferent)('not for a change of %s', (_, spec) => {
    expect(due(specWith(spec), factsWith(), quiet)).toBeNull();
  });

  test('not for a certificate that came from a fallback', () => {
    const current = factsWith({ directoryUrl: fallback.directoryUrl });
    expect(due(specWith({ issuers: [issuer, fallback] }), current, quiet)).toBeNull();
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
      ['before its second: not', early, '2026-01-19T23:59:59Z', null],
      ['later than a third left: not before', late, '2026-03-19T23:59:59Z', null],
      [
        'later than a third left: then',
        late,
        '2026-03-20T00:00:00Z',
        'due since 2026-03-20T00:00:00.000Z in the window that its CA suggests, 2026-03-20T00:00:00Z to 2026-03-20T00:00:01Z, expires 2026-04-01T00:00:00Z',
      ],
      [
        'later than is safe: all the same',
        never,
        '2026-03-27T12:00:00Z',
        'expires 2026-04-01T00:00:00Z, too soon to wait any longer',
      ],
      ["another certificate's: not", { ...early, certificateId: 'key.00' }, '2026-02-01T00:00:00Z', null],
      ['none, by its dates', { ...early, start: null, end: null }, '2026-02-01T00:00:00Z', null],
    ])('%s', (_, renewalInfo, now, reason) => {
      expect(dueReason(specWith(), record({ current: withId, renewalInfo }), new Date(now))).toBe(reason);
    });
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
  expect(regionsBehind(specWith({ regions }), record({ current: factsWith(), deliveries }))).toEqual(behind);
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

describe('what to do', () => {
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
    ['nothing, when all is well', 'none', decide({ current })],
    ['issue, when it is due', 'issue', decide({ current }, {}, dueDay)],
    ['issue, when it never was', 'issue', decide({})],
    ['issue, when a person insists', 'issue', decide({ current }, { force: true })],
    ['clean first, whatever else', 'clean', decide({ current, leftovers: [leftover] }, { force: true })],
    ['go on after cleaning', 'none', decide({ current, leftovers: [leftover] }, { cleaned: true })],
    ['repair rather than order', 'repair', decide({ current }, { storedVersion: 'newer' }, dueDay)],
    [
      'share the secret when it has other readers than are configured',
      'share',
      decide({ current }, { spec: specWith({ readers: ['arn:aws:iam::444455556666:root'] }) }),
    ],
    [
      'deliver before readers are looked at',
      'deliver',
      decide({ current }, { spec: specWith({ regions: ['us-east-1'], readers: ['arn:aws:iam::444455556666:root'] }) }),
    ],
    [
      'look at the servers before readers that may be refused with every run',
      'checkEndpoints',
      decide(
        { current },
        { spec: specWith({ endpoints: ['www.example.com:443'], readers: ['arn:aws:iam::444455556666:root'] }) },
      ),
    ],
    [
      'repair before it is shared, when the ledger does not know the certificate',
      'repair',
      decide({ current }, { storedVersion: 'newer', spec: specWith({ readers: ['arn:aws:iam::444455556666:root'] }) }),
    ],
    ['repair when the ledger is empty', 'repair', decide({}, { storedVersion: 'version-1' })],
    [
      'order when a person insists, though the ledger is behind',
      'issue',
      decide({}, { storedVersion: 'x', force: true }),
    ],
    ['issue when the secret is gone', 'issue', decide({ current }, { storedVersion: null })],
    ['deliver what is good', 'deliver', decide({ current }, { spec: elsewhere })],
    ['issue what is due rather than deliver it', 'issue', decide({ current }, { spec: elsewhere }, dueDay)],
  ])('%s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  const watched = specWith({ endpoints: ['www.example.com:443'] });
  const endpoints = [{ endpoint: 'www.example.com:443', status: 'served' as const, serialNumber: '0A01', detail: '' }];
  const looked = (at: string) => ({ current, served: { versionId: 'version-1', at, served: true, endpoints } });
  test.each([
    ['are looked at when nobody has', 'checkEndpoints', decide({ current }, { spec: watched })],
    ['are looked at once a day', 'checkEndpoints', decide(looked('2026-01-31T00:00:00Z'), { spec: watched })],
    ['are left alone for the rest of it', 'none', decide(looked('2026-01-31T12:00:00Z'), { spec: watched })],
    ['come after a delivery', 'deliver', decide({ current }, { spec: { ...watched, regions: ['us-east-1'] } })],
    ['come after a renewal', 'issue', decide({ current }, { spec: watched }, dueDay)],
    ['come after what is left in DNS', 'clean', decide({ current, leftovers: [leftover] }, { spec: watched })],
    ['are left alone while failures hold it back', 'none', decide({ current, ...tomorrow }, { spec: watched })],
    [
      'do not keep a deployment waiting',
      'none',
      decide({ current }, { spec: watched, deployedAt: new Date('2026-02-01T00:00:00Z') }),
    ],
    ['are not there before the first certificate', 'issue', decide({}, { spec: watched })],
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
    ['is resumed rather than ordered anew for a person', 'resume', decide({ current, order }, { force: true })],
    ['is resumed though the secret is gone', 'resume', decide({ current, order }, { storedVersion: null })],
    ['is left when its certificate is in the secret', 'repair', decide({ current, order }, { storedVersion: 'newer' })],
    [
      'has its values cleaned when its certificate is in the secret',
      'clean',
      decide({ current, order, leftovers: [leftover] }, { storedVersion: 'newer' }),
    ],
    [
      'that expired has its values cleaned',
      'clean',
      decide({ current, order: { ...order, expires: '2026-01-31T00:00:00Z' }, leftovers: [leftover] }),
    ],
    ['that expired is not resumed', 'none', decide({ current, order: { ...order, expires: '2026-01-31T00:00:00Z' } })],
    ['of another configuration is not', 'issue', decide({ order: { ...order, specHash: 'other' } })],
    ['of another issuer is not', 'issue', decide({ order: { ...order, directoryUrl: fallback.directoryUrl } })],
    ['waits for the time in the ledger', 'none', decide({ current, order, ...tomorrow })],
    [
      'is gone on with by the restart of a dead run',
      'resume',
      decide({ current, order, ...tomorrow }, { retrying: true }),
    ],
  ])('a saved order %s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  test.each([
    ['nothing is ordered', 'none', decide({ ...tomorrow })],
    ['nothing is delivered', 'none', decide({ current, ...tomorrow }, { spec: elsewhere })],
    ['left-over values are cleaned', 'clean', decide({ leftovers: [leftover], ...tomorrow })],
    ['the values of an order are cleaned', 'clean', decide({ order, leftovers: [leftover], ...tomorrow })],
    ['a person is obeyed', 'issue', decide({ ...tomorrow }, { force: true })],
    [
      'a mended configuration is tried',
      'issue',
      decide({ ...tomorrow, failure: { ...failure, error: 'InvalidProfileError', specHash: 'before' } }),
    ],
    [
      'the same configuration waits',
      'none',
      decide({ ...tomorrow, failure: { ...failure, error: 'InvalidProfileError', specHash: specWith().specHash } }),
    ],
    [
      "a CA's limit stands, whatever the configuration",
      'none',
      decide({ ...tomorrow, failure: { ...failure, error: 'RateLimitedError', specHash: 'before' } }),
    ],
    ['the next rung is climbed', 'issue', decide({ ...tomorrow }, { retrying: true })],
    ['an emergency is met', 'issue', decide({ current, failure, notBefore: '2026-03-29T00:00:00Z' }, {}, emergency)],
    [
      'an emergency waits for its turn, 100 minutes after the last try',
      'none',
      decide(
        { current, failure: { ...failure, last: '2026-03-27T22:21:00Z' }, notBefore: '2026-03-29T00:00:00Z' },
        {},
        emergency,
      ),
    ],
    ['its end is the end', 'issue', decide({ ...tomorrow }, {}, '2026-02-02T00:00:00Z')],
  ])('before the time that failures have set, %s', (_, action, decided) => {
    expect(decided).toBe(action);
  });

  test('the time that failures have set is told with the cause', () => {
    expect(retryNotBeforeReason(situationOf({ current, ...tomorrow }), new Date('2026-02-01T00:00:00Z'))).toBe(
      'nothing is tried before 2026-02-02T00:00:00Z, after 4 failures, the last by CaaError',
    );
  });

  describe("the CA's second", () => {
    const soon = suggested('2026-02-01T06:59:59Z', '2026-02-01T06:59:59.5Z');
    const at = (renewalInfo: SavedRenewalInfo, situation: Partial<RenewalSituation> = {}) =>
      decideRenewal(situationOf({ current: withId, renewalInfo }, situation), quiet);

    test('before the next check is waited for, to the second', () => {
      expect(at(soon)).toEqual({
        action: 'wait',
        wait: 25_199,
        reason:
          'its second 2026-02-01T06:59:59.000Z in the window that its CA suggests, 2026-02-01T06:59:59Z to 2026-02-01T06:59:59.5Z comes before the next check',
      });
    });

    test('is waited for although readers are to be changed, which may be refused with every run', () => {
      const spec = specWith({ readers: ['arn:aws:iam::444455556666:root'] });
      const soon = suggested('2026-02-01T05:00:00Z', '2026-02-01T05:00:00.5Z');
      expect(at(soon, { spec }).action).toBe('wait');
    });

    test('is waited for a day at most, then the CA is asked again', () => {
      const days = suggested('2026-02-03T00:00:00Z', '2026-02-03T00:00:00.5Z');
      expect(at(days, { checkInterval: 3 * 86_400 })).toMatchObject({ action: 'wait', wait: 86_400 });
    });

    test('after the next check is left to that', () => {
      expect(at(suggested('2026-02-01T07:00:00Z', '2026-02-01T07:00:00.5Z'))).toEqual({
        action: 'none',
        wait: 0,
        reason: 'nothing to do, renewal is due 2026-02-01T07:00:00.000Z',
      });
    });

    test('is waited for only when nothing else is to do', () => {
      expect(at(soon, { spec: elsewhere }).action).toBe('deliver');
      expect(at(soon, { force: true }).action).toBe('issue');
    });
  });
});

describe('a fleet run starts', () => {
  const now = new Date('2026-03-20T00:00:00Z');
  const fresh = factsWith({ notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-06-08T00:00:00Z' });
  const freshWithId = { ...fresh, certificateId: 'key.01' };
  const failed = { ...failure, last: '2026-03-19T00:00:00Z' };
  const held = { failure: failed, notBefore: '2026-03-20T00:00:01Z' };

  test.each([
    ['nothing before notBefore', record(held), null],
    ['nothing before notBefore, left-over values or not', record({ ...held, leftovers: [leftover] }), null],
    ['what is due at notBefore', record({ notBefore: '2026-03-20T00:00:00Z' }), 'never issued'],
    [
      'an emergency before notBefore',
      record({ ...held, current: factsWith({ notBefore: '2025-12-23T00:00:00Z', notAfter: '2026-03-23T00:00:00Z' }) }),
      'expires 2026-03-23T00:00:00Z, too soon to wait any longer',
    ],
    [
      'what left values in DNS',
      record({ current: fresh, leftovers: [leftover] }),
      '1 TXT values were left by an earlier run',
    ],
    ['what was revoked', record({ current: fresh, revokedVersion: fresh.versionId }), '0a01 was revoked'],
    ['nothing in place of what has replaced it', record({ current: fresh, revokedVersion: 'version-0' }), null],
    ['nothing that is well', record({ current: fresh }), null],
    ['what failed before and has no date', record({ failure: failed }), 'never issued'],
    [
      'what failed, though nothing is left to do',
      record({ current: fresh, failure: failed, notBefore: '2026-03-19T12:00:00Z' }),
      'nothing is left to do after a failure',
    ],
    ['what left an order', record({ current: fresh, order }), 'order https://ca.test/order/1 was left unfinished'],
    [
      'what left an order that has expired',
      record({ current: fresh, order: { ...order, expires: '2026-03-19T00:00:00Z' } }),
      'an order was left unfinished',
    ],
    [
      'what its CA wants renewed before the next run',
      record({ current: freshWithId, renewalInfo: suggested('2026-03-20T06:00:00Z', '2026-03-20T06:00:01Z') }),
      'its second 2026-03-20T06:00:00.000Z in the window that its CA suggests, 2026-03-20T06:00:00Z to 2026-03-20T06:00:01Z comes before the next check',
    ],
    [
      'nothing that its CA wants renewed after the next run',
      record({ current: freshWithId, renewalInfo: suggested('2026-03-20T07:00:00Z', '2026-03-20T07:00:01Z') }),
      null,
    ],
  ])('%s', (_, seen, reason) => {
    expect(fleetDecision(specWith(), seen, 21_600, now)?.reason ?? null).toBe(reason);
  });

  test('what a region lacks', () => {
    const spec = specWith({ regions: ['us-east-1'] });
    expect(fleetDecision(spec, record({ current: fresh }), 21_600, now)?.reason).toMatch(/us-east-1/);
  });
});

describe('an order replaces', () => {
  test.each<[string, CertificateSpec, CertificateFacts | null, string | null]>([
    ['the certificate that the same CA issued', specWith(), withId, 'key.01'],
    [
      'it though names have changed, as long as one is common',
      specWith({ identifiers: ['a.test', 'example.com'] }),
      withId,
      'key.01',
    ],
    ['none with no name in common', specWith({ identifiers: ['a.test'] }), withId, null],
    ['none of another CA', specWith({ issuer: fallback, issuers: [issuer, fallback] }), withId, null],
    ['none without an id', specWith(), factsWith(), null],
    ['none when none is there', specWith(), null, null],
  ])('%s', (_, spec, current, id) => {
    expect(replacedCertificate(spec, current)).toBe(id);
  });
});

import { describe, expect, test } from 'vitest';
import type { CertificateFacts } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import {
  IssueCapError,
  type PerennialError,
  ValidationLimitError,
} from '../../../../../lambdas/domain/contract/errors.ts';
import { assertIssueCap, assertValidationLimit } from '../../../../../lambdas/domain/rules/renewal/issue-cap.ts';
import { factsWith, issuer, specWith } from '../../../../fakes/specs.ts';

const now = new Date('2026-03-10T12:00:00Z');

function refusal(act: () => void): PerennialError | null {
  try {
    act();
    return null;
  } catch (error) {
    return error as PerennialError;
  }
}

describe('the cap of two certificates of a set in 24 hours', () => {
  const refused = (
    times: readonly string[],
    spec = specWith(),
    current: CertificateFacts | null = null,
    revoked: { readonly revokedVersion?: string } = {},
  ) =>
    refusal(() =>
      assertIssueCap(
        spec,
        Object.fromEntries(times.map((at, index) => [`https://ca.test/${index}`, at])),
        { current, ...revoked },
        now,
      ),
    );

  test.each([
    ['none', []],
    ['one', ['2026-03-10T11:59:59Z']],
    ['two, the earlier of them 24 hours ago', ['2026-03-09T12:00:00Z', '2026-03-10T11:00:00Z']],
    ['many, all longer ago', ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z']],
  ])('lets one more pass after %s', (_, times) => {
    expect(refused(times)).toBeNull();
  });

  test.each([
    [['2026-03-10T10:00:00Z', '2026-03-09T12:00:01Z'], '2026-03-10T12:00:01.000Z', 1],
    [['2026-03-10T10:00:00Z', '2026-03-10T11:00:00Z'], '2026-03-11T10:00:00.000Z', 79_200],
    // A third one was issued with the override, so the cap ends only when one of them is left in the period.
    [['2026-03-10T09:00:00Z', '2026-03-10T10:00:00Z', '2026-03-10T11:00:00Z'], '2026-03-11T10:00:00.000Z', 79_200],
  ])('refuses a third after %j until %s', (times, until, retryAfter) => {
    const error = refused(times);
    expect(error).toBeInstanceOf(IssueCapError);
    expect(error?.message).toContain(until);
    expect(error?.message).toContain('example.com');
    expect(error?.problem?.retryAfter).toBe(retryAfter);
  });

  const two = ['2026-03-10T10:00:00Z', '2026-03-10T11:00:00Z'];
  test('does not apply to a test CA or with the override', () => {
    expect(refused(two, specWith({ issuer: { ...issuer, staging: true } }))).toBeNull();
    expect(refused(two, specWith({ ignoreIssueCap: true }))).toBeNull();
  });

  const daily = factsWith({ notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-03-11T00:00:00Z' });
  test.each([
    // A quarter of the lifetime, which is 24 hours for four days.
    ['90 days', factsWith({ notAfter: '2026-04-01T00:00:00Z' }), '2026-03-11T10:00:00.000Z', 'in the last 24 hours'],
    [
      '4 days',
      factsWith({ notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-03-14T00:00:00Z' }),
      '2026-03-11T10:00:00.000Z',
      'in the last 24 hours',
    ],
    ['24 hours', daily, '2026-03-10T16:00:00.000Z', 'in the last 6 hours'],
    [
      '24 hours from another CA',
      { ...daily, directoryUrl: 'https://other.test/directory' },
      '2026-03-11T10:00:00.000Z',
      'in the last 24 hours',
    ],
  ])('follows the lifetime of the certificate in use: %s', (_, current, until, period) => {
    const error = refused(two, specWith(), current);
    expect(error?.message).toContain(until);
    expect(error?.message).toContain(period);
  });

  test('lets certificates of a day be issued twice in each six hours', () => {
    expect(refused(['2026-03-10T06:00:00Z', '2026-03-10T05:30:00Z'], specWith(), daily)).toBeNull();
  });

  const urgent = factsWith({ notAfter: '2026-03-11T00:00:00Z', orderUrl: 'https://ca.test/order/0' });
  test('does not delay an emergency, also after expiry', () => {
    expect(refused(two, specWith(), urgent)).toBeNull();
    expect(refused(two, specWith(), { ...urgent, notAfter: '2026-03-01T00:00:00Z' })).toBeNull();
  });

  test('does not delay the replacement of a revoked certificate, also if that was issued a moment ago', () => {
    const current = factsWith({ notAfter: '2026-06-08T00:00:00Z', orderUrl: 'https://ca.test/1' });
    expect(refused(two, specWith(), current, { revokedVersion: 'version-0' })).toBeInstanceOf(IssueCapError);
    expect(refused(two, specWith(), current, { revokedVersion: current.versionId })).toBeNull();
  });

  describe('for the replacement of a revoked certificate', () => {
    const current = factsWith({ notAfter: '2026-06-08T00:00:00Z', orderUrl: 'https://ca.test/0' });
    const replaced = (times: readonly string[], inUse = current) =>
      refused(times, specWith(), inUse, { revokedVersion: inUse.versionId });
    const at = (...hours: readonly string[]) => hours.map((each) => `2026-03-10T${each}:00Z`);

    test('lets three pass on the retry schedule after the one in use', () => {
      for (const times of [at('11:57'), at('11:57', '11:58'), at('11:57', '11:58', '11:59')])
        expect(replaced(times), times.join()).toBeNull();
    });

    test.each([
      ['six hours after the last one', at('08:00', '08:01', '08:11', '09:51'), '2026-03-10T15:51:00.000Z'],
      [
        'earlier if only one is left in the period',
        ['2026-03-09T12:10:00Z', '2026-03-09T12:20:00Z', '2026-03-09T12:30:00Z', '2026-03-10T11:50:00Z'],
        '2026-03-10T12:30:00.000Z',
      ],
    ])('allows the next one %s', (_, times, until) => {
      const error = replaced(times);
      expect(error).toBeInstanceOf(IssueCapError);
      expect(error?.message).toContain(`before ${until}. The CA issued 4 certificates`.replace('The CA', issuer.name));
    });

    test('lets one pass every six hours, so that it is attempted until one is stored', () => {
      expect(replaced(at('00:00', '00:01', '00:11', '01:51'))).toBeNull();
      expect(replaced(at('00:00', '00:01', '00:11', '01:51', '05:59'))).toBeNull();
      expect(replaced(at('00:00', '00:01', '00:11', '01:51', '06:01'))).toBeInstanceOf(IssueCapError);
    });

    test('follows the lifetime of certificates of a day, which are an hour and a half apart', () => {
      const times = at('10:20', '10:21', '10:22', '10:29');
      expect(replaced(times, { ...daily, orderUrl: 'https://ca.test/0' })).toBeNull();
      const later = replaced(at('10:20', '10:21', '10:22', '10:31'), { ...daily, orderUrl: 'https://ca.test/0' });
      expect(later?.message).toContain('before 2026-03-10T12:01:00.000Z');
    });

    test('does not delay it when the revoked certificate is also about to expire', () => {
      expect(replaced(at('08:00', '08:01', '08:11', '09:51'), urgent)).toBeNull();
    });

    test('allows at most seven certificates in a day, if none can be stored', () => {
      const issued: string[] = ['2026-03-10T12:00:00Z'];
      for (let minute = 0; minute < 24 * 60; minute++) {
        const time = new Date(now.getTime() + minute * 60_000);
        const spec = specWith();
        const issues = Object.fromEntries(issued.map((each, index) => [`https://ca.test/${index}`, each]));
        const inUse = { current, revokedVersion: current.versionId };
        if (!refusal(() => assertIssueCap(spec, issues, inUse, time))) issued.push(time.toISOString());
      }
      expect(issued).toHaveLength(7);
    });
  });

  test('applies to an emergency if the certificate in use was issued a moment ago, so that the next one is no better', () => {
    const justIssued = { ...urgent, orderUrl: 'https://ca.test/1' };
    expect(refused(two, specWith(), justIssued)).toBeInstanceOf(IssueCapError);
    expect(refused(['2026-03-10T10:00:00Z', '2026-03-10T10:20:00Z'], specWith(), justIssued)).toBeNull();
  });
});

describe('the limit on failed validations', () => {
  const spec = specWith({ identifiers: ['a.example.com', 'b.example.com'] });
  const refused = (failures: Readonly<Record<string, readonly string[]>>) =>
    refusal(() => assertValidationLimit(spec, new Map(Object.entries(failures)), now));
  const four = ['2026-03-10T11:10:00Z', '2026-03-10T11:20:00Z', '2026-03-10T11:30:00Z', '2026-03-10T11:40:00Z'];

  test.each<[string, Readonly<Record<string, readonly string[]>>]>([
    ['no failures', {}],
    ['three of one identifier', { 'a.example.com': four.slice(1) }],
    ['three of each', { 'a.example.com': four.slice(1), 'b.example.com': four.slice(0, 3) }],
    ['four, one of them an hour ago', { 'a.example.com': [...four.slice(1), '2026-03-10T11:00:00Z'] }],
    ['four of an identifier that is not in this certificate', { 'c.example.com': four }],
  ])('lets %s pass', (_, failures) => {
    expect(refused(failures)).toBeNull();
  });

  test('rejects after four failures of one identifier, names it, and ends one hour after the first', () => {
    const error = refused({ 'a.example.com': four.slice(2), 'b.example.com': four });
    expect(error).toBeInstanceOf(ValidationLimitError);
    expect(error?.message).toContain('could not validate b.example.com 4 times');
    expect(error?.message).toContain('2026-03-10T12:10:00.000Z');
    expect(error?.problem).toMatchObject({ identifier: 'b.example.com', retryAfter: 600 });
  });

  test('rejects until no identifier is over the limit', () => {
    const later = Array(4).fill('2026-03-10T11:50:00Z');
    expect(refused({ 'a.example.com': four, 'b.example.com': later })?.problem).toMatchObject({
      identifier: 'b.example.com',
      retryAfter: 3000,
    });
  });
});

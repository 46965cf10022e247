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

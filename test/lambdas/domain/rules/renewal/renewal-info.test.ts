import { describe, expect, test } from 'vitest';
import type { CertificateFacts } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec } from '../../../../../lambdas/domain/contract/config.ts';
import type { LedgerCertificate, SavedRenewalInfo } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import {
  ariRenewalTime,
  chosenRenewalTime,
  flexibleWindow,
  isBeforeNextCheck,
  isFetchDue,
  renewalInfoFrom,
  renewalInfoOf,
  replacedCertificate,
} from '../../../../../lambdas/domain/rules/renewal/renewal-info.ts';
import { factsWith, issuer, specWith } from '../../../../fakes/specs.ts';

const start = new Date('2026-02-27T00:00:00Z');
const end = new Date('2026-03-01T00:00:00Z');
const now = new Date('2026-02-01T12:00:00Z');

const saved: SavedRenewalInfo = {
  certificateId: 'key.01',
  start: start.toISOString(),
  end: end.toISOString(),
  explanationUrl: 'https://ca.test/why',
  nextFetch: '2026-02-01T12:00:00.000Z',
};
const current = { ...factsWith(), certificateId: 'key.01' };
const recordWith = (renewalInfo: SavedRenewalInfo | null) => ({ ...emptyRecord, current, renewalInfo });

describe('the renewal time', () => {
  test('is the same in each call and differs for another certificate or window', () => {
    const chosen = chosenRenewalTime('key.01', { start, end });
    expect(chosen.toISOString()).toBe('2026-02-27T00:13:03.000Z');
    expect(chosenRenewalTime('key.01', { start, end })).toEqual(chosen);
    expect(chosenRenewalTime('key.02', { start, end })).not.toEqual(chosen);
    expect(chosenRenewalTime('key.01', { start, end: new Date('2026-03-01T00:00:01Z') })).not.toEqual(chosen);
  });

  test('is inside the window, and those of many certificates are spread over all of it', () => {
    const seconds = Array.from({ length: 2000 }, (_, index) =>
      chosenRenewalTime(`key.${index}`, { start, end }).getTime(),
    );
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(start.getTime());
    expect(Math.max(...seconds)).toBeLessThan(end.getTime());
    const quarters = [0, 0, 0, 0];
    for (const second of seconds) {
      const quarter = Math.floor((4 * (second - start.getTime())) / (end.getTime() - start.getTime()));
      quarters[quarter] = (quarters[quarter] ?? 0) + 1;
    }
    // 500 are expected in each half. Five standard deviations of a fair draw are 97.
    for (const count of quarters) expect(Math.abs(count - 500)).toBeLessThan(97);
  });

  test('of a window shorter than a second is its start', () => {
    expect(chosenRenewalTime('key.01', { start, end: new Date('2026-02-27T00:00:00.400Z') })).toEqual(start);
  });
});

describe('the saved window', () => {
  test('is used for its own certificate', () => {
    expect(renewalInfoOf(recordWith(saved))).toEqual(saved);
    expect(ariRenewalTime(recordWith(saved))).toEqual(chosenRenewalTime('key.01', { start, end }));
  });

  test.each([
    ['another certificate', { ...recordWith(saved), current: factsWith({ certificateId: 'key.02' }) }],
    ['a certificate without an id', { ...recordWith(saved), current: factsWith({ certificateId: null }) }],
    ['none', { ...recordWith(saved), current: null }],
  ])('is nothing for %s', (_, record) => {
    expect(renewalInfoOf(record)).toBeNull();
    expect(ariRenewalTime(record)).toBeNull();
  });

  test('may be that of a failed fetch, which gives no renewal time', () => {
    expect(ariRenewalTime(recordWith({ ...saved, start: null, end: null }))).toBeNull();
  });
});

test.each<[string, LedgerCertificate, boolean]>([
  ['never fetched', recordWith(null), true],
  ['at the time that the CA requested', recordWith(saved), true],
  ['before that time', recordWith({ ...saved, nextFetch: '2026-02-01T12:00:00.001Z' }), false],
  ['fetched for an earlier certificate', recordWith({ ...saved, certificateId: 'key.00' }), true],
  ['no certificate', { ...emptyRecord, renewalInfo: saved }, false],
  ['a certificate without an id', { ...emptyRecord, current: factsWith() }, false],
])('asking the CA, %s: worth it %#', (_, record, worth) => {
  expect(isFetchDue(record, now)).toBe(worth);
});

test.each([
  ['2026-02-01T11:00:00Z', true],
  ['2026-02-01T18:59:59Z', true],
  ['2026-02-01T19:00:00Z', false],
])('with checks each six hours and an hour of leeway, %s is before the next: %s', (second, before) => {
  expect(isBeforeNextCheck(new Date(second), 21_600, now)).toBe(before);
});

test.each([
  ['6 h', 21_600, 3_600],
  ['4 h', 14_400, 3_600],
  ['90 min', 5_400, 1_320],
  ['1 h', 3_600, 900],
  ['1 min', 60, 60],
])('a run every %s may start a quarter of that later, in whole minutes from one to sixty', (_, interval, window) => {
  expect(flexibleWindow(interval)).toBe(window);
});

describe('the window to save', () => {
  const window = { start, end, explanationUrl: null };

  test.each<[number | null, string, string]>([
    [null, '2026-02-01T18:00:00.000Z', 'six hours'],
    [0, '2026-02-01T12:01:00.000Z', 'a minute, the least'],
    [59, '2026-02-01T12:01:00.000Z', 'a minute, the least'],
    [61, '2026-02-01T12:01:01.000Z', 'as it says'],
    [21_600, '2026-02-01T18:00:00.000Z', 'as it says'],
    [86_400, '2026-02-02T12:00:00.000Z', 'a day'],
    [999_999_999, '2026-02-02T12:00:00.000Z', 'a day, the most'],
  ])('a Retry-After of %s s means asking again at %s: %s', (retryAfter, nextFetch) => {
    expect(renewalInfoFrom({ ...window, retryAfter }, recordWith(null), now)).toEqual({
      certificateId: 'key.01',
      start: '2026-02-27T00:00:00.000Z',
      end: '2026-03-01T00:00:00.000Z',
      explanationUrl: null,
      nextFetch,
    });
  });

  const nothing = { certificateId: 'key.01', start: null, end: null, explanationUrl: null };
  const early = { ...saved, start: '2026-01-20T00:00:00Z', end: '2026-01-20T00:30:00Z' };
  const late = { ...saved, start: '2026-03-20T00:00:00Z', end: '2026-03-21T00:00:00Z' };
  const passing = { failed: 'HTTP 503', temporary: true, retryAfter: null };
  const lasting = { failed: 'HTTP 404', temporary: false, retryAfter: null };

  test.each([
    [
      'is none after a temporary failure, and the next run asks again',
      passing,
      null,
      nothing,
      '2026-02-01T12:01:00.000Z',
    ],
    ['is none after a permanent failure, for six hours', lasting, null, nothing, '2026-02-01T18:00:00.000Z'],
    [
      'is none after a temporary failure, until the Retry-After of the CA',
      { ...passing, retryAfter: 3600 },
      null,
      nothing,
      '2026-02-01T13:00:00.000Z',
    ],
    [
      'is none after a permanent failure, for six hours although the Retry-After is shorter',
      { ...lasting, retryAfter: 3600 },
      null,
      nothing,
      '2026-02-01T18:00:00.000Z',
    ],
    [
      'is none after a failure, for a day although the Retry-After is longer',
      { ...lasting, retryAfter: 999_999 },
      null,
      nothing,
      '2026-02-02T12:00:00.000Z',
    ],
    ['is none without ARI, for a day', 'unsupported' as const, early, nothing, '2026-02-02T12:00:00.000Z'],
    [
      'stays after a failure if its renewal time is before the time by dates',
      passing,
      early,
      early,
      '2026-02-01T12:01:00.000Z',
    ],
    ['is removed after a failure if its renewal time is later', lasting, late, nothing, '2026-02-01T18:00:00.000Z'],
    [
      "a failure after another certificate's window: the dates",
      passing,
      { ...early, certificateId: 'key.00' },
      nothing,
      '2026-02-01T12:01:00.000Z',
    ],
  ])('%s', (_, result, before, kept, nextFetch) => {
    expect(renewalInfoFrom(result, recordWith(before), now)).toEqual({ ...kept, nextFetch });
  });
});

describe('an order replaces', () => {
  const other = { ...issuer, directoryUrl: 'https://other.test/directory' };

  test.each<[string, CertificateSpec, CertificateFacts | null, string | null]>([
    ['the certificate that the same CA issued', specWith(), current, 'key.01'],
    [
      'it though names have changed, as long as one is common',
      specWith({ identifiers: ['a.test', 'example.com'] }),
      current,
      'key.01',
    ],
    ['none without a name in common', specWith({ identifiers: ['a.test'] }), current, null],
    ['none of another CA', specWith({ issuer: other, issuers: [issuer, other] }), current, null],
    ['none without an id', specWith(), factsWith(), null],
    ['none when no certificate was issued', specWith(), null, null],
  ])('%s', (_, spec, issued, id) => {
    expect(replacedCertificate(spec, issued)).toBe(id);
  });
});

import { describe, expect, test } from 'vitest';
import type { ServedCertificate } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import type { LedgerCertificate } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import {
  endpointCheckReason,
  endpointWait,
  isNotServed,
  isSameSerial,
} from '../../../../../lambdas/domain/rules/certificate/endpoints.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { factsWith, specWith } from '../../../../fakes/specs.ts';

const www = 'www.example.com:443';
const mail = 'mail.example.com:465';
const spec = specWith({ endpoints: [www] });

const endpointWith = (status: ServedCertificate['status'], endpoint = www): ServedCertificate => ({
  endpoint,
  status,
  serialNumber: status === 'unreachable' ? null : '0A01',
  detail: '',
});
function checkedAt(at: string, endpoints: readonly ServedCertificate[], versionId = 'version-1'): LedgerCertificate {
  const served = endpoints.every(({ status }) => status === 'served');
  return { ...emptyRecord, current: factsWith(), served: { versionId, at, served, endpoints } };
}

test('the checks after a delivery end after half an hour', () => {
  const waits = Array.from({ length: 5 }, (_, tries) => endpointWait(tries));
  expect(waits).toEqual([60, 300, 600, 900, 0]);
  expect(waits.reduce((sum, wait) => sum + wait)).toBe(31 * 60);
  expect(endpointWait(1000)).toBe(0);
});

test.each([
  ['0A01', '0a01', true],
  ['0A01', 'A01', true],
  ['00', '0', true],
  ['0A01', '0A010', false],
  ['A0', '0A', false],
  ['03F6E2C1B4A59788', '3f6e2c1b4a59788', true],
])('isSameSerial compares %s and %s: %s', (a, b, same) => {
  expect(isSameSerial(a, b)).toBe(same);
});

describe('an endpoint check is due', () => {
  const due = (record: LedgerCertificate, now: string, { interval = 21_600, of = spec } = {}) =>
    endpointCheckReason(of, record, interval, new Date(now));
  const at = '2026-03-01T12:00:00Z';

  test('if the current certificate has not been checked', () => {
    const reason = 'certificate 0a01 has not been checked at www.example.com:443 yet';
    expect(due({ ...emptyRecord, current: factsWith() }, at)).toBe(reason);
    expect(due(checkedAt(at, [endpointWith('served')], 'version-0'), at)).toBe(reason);
  });

  test.each([
    ['2026-03-01T12:00:01Z', false],
    ['2026-03-02T08:59:59Z', false],
    ['2026-03-02T09:00:00Z', true],
    ['2026-03-09T00:00:00Z', true],
  ])('a day after the last check, or at most half of a six-hour interval earlier: at %s %s', (now, is) => {
    expect(due(checkedAt(at, [endpointWith('served')]), now) !== null).toBe(is);
  });

  test.each([
    ['served', [endpointWith('served')]],
    ['not served', [endpointWith('other')]],
  ] as const)(
    'once a day if runs every six hours begin up to an hour late and the endpoints are %s',
    (_, endpoints) => {
      const hour = 3_600_000;
      let record = checkedAt('2026-03-01T00:31:00Z', endpoints);
      const checks: number[] = [];
      for (let index = 1; index <= 40; index += 1) {
        const late = ((index * 7) % 10) / 10;
        const now = new Date(Date.parse('2026-03-01T00:00:00Z') + (index * 6 + late) * hour);
        if (endpointCheckReason(spec, record, 21_600, now) === null) continue;
        checks.push(index);
        record = checkedAt(new Date(now.getTime() + hour / 2).toISOString(), endpoints);
      }
      expect(checks).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
    },
  );

  test('at every run if runs are days apart', () => {
    expect(due(checkedAt(at, [endpointWith('served')]), '2026-03-03T08:00:00Z', { interval: 162_000 })).toContain(
      'a day ago',
    );
  });

  test('immediately for an endpoint that is new in the configuration', () => {
    const of = specWith({ endpoints: [mail, www] });
    expect(due(checkedAt(at, [endpointWith('served')]), at, { of })).toBe(
      'the certificate has not been checked at mail.example.com:465 yet',
    );
  });

  test('never without endpoints or without a certificate', () => {
    expect(due({ ...emptyRecord, current: factsWith() }, at, { of: specWith() })).toBeNull();
    expect(due(emptyRecord, at)).toBeNull();
  });
});

describe('isNotServed is', () => {
  const at = '2026-03-01T12:00:00Z';

  test.each([
    ['true if an endpoint presents another certificate', checkedAt(at, [endpointWith('other')]), true],
    ['true if an endpoint is unreachable', checkedAt(at, [endpointWith('unreachable')]), true],
    ['false if all endpoints serve it', checkedAt(at, [endpointWith('served')]), false],
    ['false if the check was for another version', checkedAt(at, [endpointWith('other')], 'version-0'), false],
    ['false without a check', { ...emptyRecord, current: factsWith() }, false],
    [
      'false if the endpoint is no longer configured',
      checkedAt(at, [endpointWith('served'), endpointWith('other', mail)]),
      false,
    ],
  ])('%s', (_, record, is) => {
    expect(isNotServed(spec, record)).toBe(is);
  });
});

import { describe, expect, test } from 'vitest';
import type { ServedCertificate } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import type { LedgerCertificate } from '../../../../../lambdas/domain/ports/ledger.ts';
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

const seen = (status: ServedCertificate['status'], endpoint = www): ServedCertificate => ({
  endpoint,
  status,
  serialNumber: status === 'unreachable' ? null : '0A01',
  detail: '',
});
function looked(at: string, endpoints: readonly ServedCertificate[], versionId = 'version-1'): LedgerCertificate {
  const served = endpoints.every(({ status }) => status === 'served');
  return { ...emptyRecord, current: factsWith(), served: { versionId, at, served, endpoints } };
}

test('the looks after a delivery end after half an hour', () => {
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
])('serial numbers %s and %s are the same: %s', (a, b, same) => {
  expect(isSameSerial(a, b)).toBe(same);
});

describe('a look is due', () => {
  const due = (record: LedgerCertificate, now: string, { interval = 21_600, of = spec } = {}) =>
    endpointCheckReason(of, record, interval, new Date(now));
  const at = '2026-03-01T12:00:00Z';

  test('when nobody has looked at the current certificate', () => {
    const reason = 'nobody has looked yet whether www.example.com:443 serve 0a01';
    expect(due({ ...emptyRecord, current: factsWith() }, at)).toBe(reason);
    expect(due(looked(at, [seen('served')], 'version-0'), at)).toBe(reason);
  });

  test.each([
    ['2026-03-01T12:00:01Z', false],
    ['2026-03-02T08:59:59Z', false],
    ['2026-03-02T09:00:00Z', true],
    ['2026-03-09T00:00:00Z', true],
  ])('a day after the last one, give or take half of the six hours between two fleet runs: at %s %s', (now, is) => {
    expect(due(looked(at, [seen('served')]), now) !== null).toBe(is);
  });

  test.each([
    ['served', [seen('served')]],
    ['not served', [seen('other')]],
  ] as const)('once in each day of runs every six hours that begin up to an hour late, when %s', (_, endpoints) => {
    const hour = 3_600_000;
    let record = looked('2026-03-01T00:31:00Z', endpoints);
    const looks: number[] = [];
    for (let index = 1; index <= 40; index += 1) {
      const late = ((index * 7) % 10) / 10;
      const now = new Date(Date.parse('2026-03-01T00:00:00Z') + (index * 6 + late) * hour);
      if (endpointCheckReason(spec, record, 21_600, now) === null) continue;
      looks.push(index);
      record = looked(new Date(now.getTime() + hour / 2).toISOString(), endpoints);
    }
    expect(looks).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
  });

  test('at every run where runs are days apart', () => {
    expect(due(looked(at, [seen('served')]), '2026-03-03T08:00:00Z', { interval: 162_000 })).toContain('a day ago');
  });

  test('at once for an endpoint that the configuration did not have before', () => {
    const of = specWith({ endpoints: [mail, www] });
    expect(due(looked(at, [seen('served')]), at, { of })).toBe('nobody has looked yet at mail.example.com:465');
  });

  test('never without endpoints, or without a certificate', () => {
    expect(due({ ...emptyRecord, current: factsWith() }, at, { of: specWith() })).toBeNull();
    expect(due(emptyRecord, at)).toBeNull();
  });
});

describe('a certificate is not served', () => {
  const at = '2026-03-01T12:00:00Z';

  test.each([
    ['when an endpoint shows another', looked(at, [seen('other')]), true],
    ['when an endpoint cannot be reached', looked(at, [seen('unreachable')]), true],
    ['not when all serve it', looked(at, [seen('served')]), false],
    ['not when it was another version that they did not serve', looked(at, [seen('other')], 'version-0'), false],
    ['not when nobody has looked', { ...emptyRecord, current: factsWith() }, false],
    ['not when the endpoint is no longer configured', looked(at, [seen('served'), seen('other', mail)]), false],
  ])('%s', (_, record, is) => {
    expect(isNotServed(spec, record)).toBe(is);
  });
});

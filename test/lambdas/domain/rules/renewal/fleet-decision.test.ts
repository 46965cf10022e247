import { describe, expect, test } from 'vitest';
import type { OutsideChanges } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import { fleetDecision } from '../../../../../lambdas/domain/rules/renewal/fleet-decision.ts';
import { factsWith, specWith } from '../../../../fakes/specs.ts';
import { failure, leftover, newer, order, record, suggested } from './ledger-situations.ts';

/** What a comparison found in the secret of `factsWith()`. */
const found = (storedVersion: string | null): OutsideChanges => ({
  at: '2026-01-31T00:00:00Z',
  versionId: factsWith().versionId,
  storedVersion,
  changes: [],
});

describe('a fleet run starts', () => {
  const now = new Date('2026-03-20T00:00:00Z');
  const fresh = factsWith({ notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-06-08T00:00:00Z' });
  const freshWithId = { ...fresh, certificateId: 'key.01' };
  const failed = { ...failure, last: '2026-03-19T00:00:00Z' };
  const held = { failure: failed, notBefore: '2026-03-20T00:00:01Z' };

  test.each([
    ['nothing before notBefore', record(held), null],
    ['a due certificate at notBefore', record({ notBefore: '2026-03-20T00:00:00Z' }), 'never issued'],
    [
      'an emergency before notBefore',
      record({ ...held, current: factsWith({ notBefore: '2025-12-23T00:00:00Z', notAfter: '2026-03-23T00:00:00Z' }) }),
      'expires 2026-03-23T00:00:00Z, which is an emergency',
    ],
    [
      'what left values in DNS',
      record({ current: fresh, leftovers: [leftover] }),
      '1 TXT values were left by an earlier run',
    ],
    ['a revoked certificate', record({ current: fresh, revokedVersion: fresh.versionId }), '0a01 was revoked'],
    [
      'a revoked certificate before notBefore',
      record({ ...held, current: fresh, revokedVersion: fresh.versionId }),
      '0a01 was revoked',
    ],
    ['nothing when the revoked version was replaced', record({ current: fresh, revokedVersion: 'version-0' }), null],
    ['nothing when nothing is due', record({ current: fresh }), null],
    ['a failed certificate without a notBefore time', record({ failure: failed }), 'never issued'],
    [
      'what failed, though nothing is left to do',
      record({ current: fresh, failure: failed, notBefore: '2026-03-19T12:00:00Z' }),
      'nothing is left to do after a failure',
    ],
    [
      'a certificate whose secret the comparison did not find',
      record({ current: fresh, outside: found(null) }),
      'never issued',
    ],
    [
      'a certificate whose secret has an earlier version',
      record({ current: fresh, outside: found(newer) }),
      'the secret holds a certificate that the ledger does not know',
    ],
    [
      'nothing when another writer stored the value',
      record({ current: fresh, outside: found('c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11') }),
      null,
    ],
    [
      'nothing when another version became current after the comparison',
      record({ current: fresh, outside: { ...found(null), versionId: 'version-0' } }),
      null,
    ],
    [
      'a certificate with a saved order',
      record({ current: fresh, order }),
      'order https://ca.test/order/1 is unfinished',
    ],
    [
      'a certificate with an expired saved order',
      record({ current: fresh, order: { ...order, expires: '2026-03-19T00:00:00Z' } }),
      'an order is unfinished',
    ],
    [
      'a certificate whose renewal time is before the next run',
      record({ current: freshWithId, renewalInfo: suggested('2026-03-20T06:00:00Z', '2026-03-20T06:00:01Z') }),
      'renewal time 2026-03-20T06:00:00.000Z in the window that its CA suggests, 2026-03-20T06:00:00Z to 2026-03-20T06:00:01Z is before the next check',
    ],
    [
      'nothing that its CA wants renewed after the next run',
      record({ current: freshWithId, renewalInfo: suggested('2026-03-20T07:00:00Z', '2026-03-20T07:00:01Z') }),
      null,
    ],
  ])('%s', (_, seen, reason) => {
    expect(fleetDecision(specWith(), seen, 21_600, now)?.reason ?? null).toBe(reason);
  });

  test('a certificate that an ACM region does not have', () => {
    const spec = specWith({ regions: ['us-east-1'] });
    expect(fleetDecision(spec, record({ current: fresh }), 21_600, now)?.reason).toMatch(/us-east-1/);
  });
});

describe('a fleet run starts a clean-up of leftover TXT values', () => {
  const waiting = record({ current: factsWith(), failure, notBefore: '2026-02-03T00:00:00Z', leftovers: [leftover] });

  test('before the notBefore time, because the clean-up asks no CA', () => {
    expect(fleetDecision(specWith(), waiting, 21_600, new Date('2026-02-01T00:00:00Z'))?.action).toBe('clean');
    expect(
      fleetDecision(specWith(), { ...waiting, leftovers: [] }, 21_600, new Date('2026-02-01T00:00:00Z')),
    ).toBeNull();
  });
});

import { describe, expect, test } from 'vitest';
import type { CertificateFacts } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import type { LedgerCertificate } from '../../../../../lambdas/domain/ports/ledger.ts';
import {
  executionName,
  type FleetMember,
  minimumDaysToExpiry,
  selectDue,
} from '../../../../../lambdas/domain/rules/renewal/fleet.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { factsWith, issuer, specWith } from '../../../../fakes/specs.ts';

const fleet = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet:noon';
const now = new Date('2026-03-20T00:00:00Z');
const limited = { ...issuer, newOrders: { burst: 6, everySeconds: 36 } };

function never(name: string, by = issuer): FleetMember {
  return { spec: specWith({ name, identifiers: [`${name}.example.com`], issuer: by }), record: emptyRecord };
}

const issued = (current: CertificateFacts): LedgerCertificate => ({
  ...emptyRecord,
  current,
  announcedVersion: current.versionId,
});

function expiring(name: string, notAfter: string, by = issuer): FleetMember {
  const { spec } = never(name, by);
  return { spec, record: issued(factsWith({ identifiers: spec.identifiers, notAfter })) };
}

const select = (members: readonly FleetMember[], batches = 1) =>
  selectDue(members, { batches, execution: fleet, checkInterval: 21_600 }, now);
const names = (members: readonly FleetMember[], batches = 1) =>
  select(members, batches).due.map(({ certificate }) => certificate);
const many = (count: number, by = issuer) => Array.from({ length: count }, (_, index) => never(`c${index}`, by));

describe('an execution name', () => {
  const member = expiring('www', '2026-04-01T00:00:00Z');

  test('is the same for the same certificate in the same fleet run', () => {
    expect(executionName(member, fleet)).toBe(executionName(member, fleet));
    expect(executionName(member, fleet)).toMatch(/^www-version--[0-9a-f]{8}-[0-9a-f]{8}$/);
  });

  test.each([
    ['another fleet run', member, `${fleet}-next`],
    ['another configuration', { ...member, spec: specWith({ keyType: 'P-384' }) }, fleet],
    ['another current version', { ...member, record: issued(factsWith({ versionId: 'other' })) }, fleet],
    ['none issued', { ...member, record: emptyRecord }, fleet],
  ] as const)('is another with %s', (_, changed, run) => {
    expect(executionName(changed, run)).not.toBe(executionName(member, fleet));
  });

  test('of the longest certificate name has at most the 80 characters that Step Functions accepts', () => {
    expect(executionName(never('n'.repeat(40)), fleet)).toMatch(/^[a-z0-9-]{1,80}$/);
  });
});

describe('the due certificates', () => {
  test('are sorted by expiry, with certificates never issued at the end', () => {
    const members = [
      never('new'),
      expiring('later', '2026-04-10T00:00:00Z'),
      expiring('expired', '2026-03-19T00:00:00Z'),
      expiring('soon', '2026-03-21T00:00:00Z'),
    ];
    expect(names(members)).toEqual(['expired', 'soon', 'later', 'new']);
  });

  test('do not include certificates that are not due', () => {
    expect(select([expiring('fresh', '2027-01-01T00:00:00Z')])).toEqual({ due: [], checked: 1, postponed: 0 });
  });
});

describe('a fleet run', () => {
  test('starts at most a thousand renewals, an equal share in each batch, and counts the postponed ones', () => {
    const { due, postponed, checked } = select(many(100), 20);
    expect([due.length, postponed, checked]).toEqual([50, 50, 100]);
    expect(select(many(100), 10).postponed).toBe(0);
  });

  test('starts at least one renewal in each batch for a fleet of any size', () => {
    expect(select(many(3), 5000).due).toHaveLength(1);
  });

  test("respects the directory's limit on first issuances", () => {
    expect(select(many(10, limited), 1)).toMatchObject({ postponed: 4 });
    expect(select(many(10, limited), 2)).toMatchObject({ postponed: 7 });
  });

  test('starts renewals of the same names without counting them against that limit', () => {
    const renewals = Array.from({ length: 9 }, (_, index) => expiring(`r${index}`, '2026-04-01T00:00:00Z', limited));
    const { due, postponed } = select([...many(8, limited), ...renewals]);
    expect([due.length, postponed]).toEqual([15, 2]);
  });

  test('does not apply the limit of one directory to another', () => {
    const other = { ...limited, directoryUrl: 'https://other.test/directory', newOrders: null };
    const { due } = select([
      ...many(8, limited),
      ...many(8, other).map(({ spec, record }) => ({ spec: { ...spec, name: `o${spec.name}` }, record })),
    ]);
    expect(due).toHaveLength(14);
  });

  test('counts a certificate that changes its directory as a first issuance', () => {
    const moved = Array.from({ length: 8 }, (_, index) => {
      const member = expiring(`m${index}`, '2027-01-01T00:00:00Z', limited);
      const current = factsWith({
        identifiers: member.spec.identifiers,
        directoryUrl: 'https://staging.test/directory',
      });
      return { ...member, record: { ...emptyRecord, current } };
    });
    expect(select(moved)).toMatchObject({ postponed: 2 });
  });

  test('counts a certificate with other names as a first issuance', () => {
    const changed = Array.from({ length: 8 }, (_, index) => {
      const { spec } = never(`x${index}`, limited);
      return { spec, record: { ...emptyRecord, current: factsWith({ identifiers: ['before.example.com'] }) } };
    });
    expect(select(changed)).toMatchObject({ postponed: 2 });
  });

  test('postpones the least urgent certificates', () => {
    const renewals = Array.from({ length: 60 }, (_, index) =>
      expiring(`r${index}`, new Date(Date.parse('2026-05-01T00:00:00Z') - index * 3_600_000).toISOString()),
    ).map((member) => ({
      ...member,
      record: { ...member.record, leftovers: [{ hostedZoneId: 'Z1', name: 'n', value: 'v' }] },
    }));
    const started = names(renewals, 20);
    expect(started[0]).toBe('r59');
    expect(started).not.toContain('r0');
  });
});

describe('endpoint checks', () => {
  const endpoint = 'www.example.com:443';
  /** A certificate whose endpoints are due for a check. `at` is the time of the last check, if any. */
  function watched(name: string, at?: string): FleetMember {
    const spec = specWith({ name, identifiers: [`${name}.example.com`], endpoints: [endpoint] });
    const current = factsWith({ identifiers: spec.identifiers, notAfter: '2027-01-01T00:00:00Z' });
    const seen = [{ endpoint, status: 'served' as const, serialNumber: '0A01', detail: '' }];
    const served = at && { served: { versionId: current.versionId, at, served: true, endpoints: seen } };
    return { spec, record: { ...issued(current), ...served } };
  }
  const yesterday = '2026-03-18T12:00:00Z';

  test('are due once a day', () => {
    expect(names([watched('a', '2026-03-19T12:00:00Z'), watched('b', yesterday), watched('c')])).toEqual(['c', 'b']);
  });

  test('come after all renewals, also those of certificates never issued', () => {
    const members = [watched('a'), never('new'), expiring('soon', '2026-03-21T00:00:00Z')];
    expect(names(members)).toEqual(['soon', 'new', 'a']);
  });

  test('start with the oldest check where a run cannot start all of them', () => {
    const members = Array.from({ length: 60 }, (_, index) =>
      watched(`w${index}`, new Date(Date.parse(yesterday) - index * 60_000).toISOString()),
    );
    const { due, postponed } = select(members, 20);
    expect([due.length, postponed]).toEqual([50, 10]);
    expect(due.map(({ certificate }) => certificate)).not.toContain('w0');
    expect(due[0]?.certificate).toBe('w59');
  });
});

test('the minimum of days to expiry is that of the certificate that expires first, and null if none is issued', () => {
  const members = [never('new'), expiring('a', '2026-03-30T00:00:00Z'), expiring('b', '2026-03-22T12:00:00Z')];
  expect(minimumDaysToExpiry(members, now)).toBe(2.5);
  expect(minimumDaysToExpiry([never('new')], now)).toBeNull();
});

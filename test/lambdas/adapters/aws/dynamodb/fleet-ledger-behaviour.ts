import { beforeAll, describe, expect, test } from 'vitest';
import type { FleetLedger, LedgerEntry } from '../../../../../lambdas/domain/ports/fleet-ledger.ts';
import type { Ledger } from '../../../../../lambdas/domain/ports/ledger.ts';
import { factsWith } from '../../../../fakes/specs.ts';

const now = new Date('2027-01-01T06:00:00.000Z');
const prefix = 'arn:aws:states:us-east-1:123456789012:execution:fleet';
const [noon, evening, night] = [`${prefix}:noon`, `${prefix}:evening`, `${prefix}:night`] as const;
const renewal = 'arn:aws:states:us-east-1:123456789012:execution:renewal:me';

/**
 * The contract of the port, tested against DynamoDB and against the fake. The two ledgers share one table. There is one lease, so a test frees it.
 */
export function fleetLedgerBehaviour(portsOf: () => { readonly ledger: Ledger; readonly fleetLedger: FleetLedger }) {
  /** Returns all entries from a position on. */
  async function entriesAfter(position: string | null): Promise<readonly LedgerEntry[]> {
    const { entries, next } = await portsOf().fleetLedger.page(position);
    return next === null ? entries : [...entries, ...(await entriesAfter(next))];
  }

  describe('the pages', () => {
    const names = Array.from({ length: 25 }, (_, index) => `page-${index}`);
    beforeAll(async () => {
      const { ledger } = portsOf();
      for (const certificate of names) {
        await ledger.takeLease({ certificate }, { certificate, execution: renewal }, now);
        await ledger.recordCurrent(certificate, renewal, factsWith({ certificateId: `key.${certificate}` }));
      }
    });

    test('have every certificate once, as the ledger returns it, and no other items', async () => {
      const { ledger, fleetLedger } = portsOf();
      await ledger.takeLease({ set: 'page-set' }, { certificate: 'page-0', execution: renewal }, now);
      await fleetLedger.saveCursor('anything');
      const found = (await entriesAfter(null)).filter(({ name }) => name.startsWith('page-'));
      expect(found.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
      for (const { name, record } of found) expect(record).toEqual(await ledger.certificate(name));
    });

    test('can begin after any entry', async () => {
      const all = await entriesAfter(null);
      const middle = all[10]?.position ?? '';
      expect((await entriesAfter(middle)).map(({ name }) => name)).toEqual(all.slice(11).map(({ name }) => name));
      expect(await entriesAfter(all.at(-1)?.position ?? '')).toEqual([]);
    });

    test('have the renewal information that was saved', async () => {
      const { ledger, fleetLedger } = portsOf();
      const run = { certificate: 'ari', execution: renewal };
      await ledger.takeLease({ certificate: 'ari' }, run, now);
      await ledger.recordCurrent('ari', renewal, factsWith({ certificateId: 'key.ari' }));
      const nextFetch = '2027-01-01T12:00:00Z';
      const info = { certificateId: 'key.ari', start: null, end: null, explanationUrl: null, nextFetch };
      await fleetLedger.saveRenewalInfo('ari', info, now);
      await fleetLedger.saveRenewalInfo('ari', { ...info, certificateId: 'key.other', nextFetch: 'never' }, now);
      const entry = (await entriesAfter(null)).find(({ name }) => name === 'ari');
      expect(entry?.record.renewalInfo).toEqual(info);
    });
  });

  describe('certificates that are late', () => {
    const recordOf = async (certificate: string) =>
      (await entriesAfter(null)).find(({ name }) => name === certificate)?.record;

    test('are on the pages since when a run postpones them and when they were reported, also if they have no item yet', async () => {
      const { ledger, fleetLedger } = portsOf();
      await fleetLedger.recordPostponed('late', now);
      await fleetLedger.recordReported('late', 'postponed', now);
      await fleetLedger.recordReported('late', 'expiring', now);
      const at = now.toISOString();
      const late = { postponedSince: at, postponedReportedAt: at, expiringReportedAt: at };
      expect(await recordOf('late')).toMatchObject(late);
      expect(await ledger.certificate('late')).toMatchObject(late);
    });

    test('that are not postponed any more have only the time of the event about their expiry', async () => {
      const { fleetLedger } = portsOf();
      await fleetLedger.recordPostponed('on-time', now);
      await fleetLedger.recordReported('on-time', 'postponed', now);
      await fleetLedger.recordReported('on-time', 'expiring', now);
      await fleetLedger.recordPostponed('on-time', null);
      const record = await recordOf('on-time');
      expect(record).toMatchObject({ expiringReportedAt: now.toISOString() });
      expect(Object.keys(record ?? {}).filter((key) => key.startsWith('postponed'))).toEqual([]);
    });
  });

  describe('the comparison', () => {
    test('is on the pages with what it found, which a selection reads', async () => {
      const { ledger } = portsOf();
      const certificate = 'found';
      await ledger.takeLease({ certificate }, { certificate, execution: renewal }, now);
      await ledger.recordCurrent(certificate, renewal, factsWith());
      await ledger.release(certificate, renewal);
      const outside = { at: now.toISOString(), versionId: 'version-1', storedVersion: null, changes: [] };
      await ledger.recordComparison(certificate, { versionId: 'version-1', outside, imports: {} });
      const entry = (await entriesAfter(null)).find(({ name }) => name === certificate);
      expect(entry?.record).toMatchObject({ outside, firstLeasedAt: now.toISOString() });
    });

    test('has no time before the first one, and then the time that was saved last', async () => {
      const { fleetLedger } = portsOf();
      expect(await fleetLedger.comparedUntil()).toBeNull();
      await fleetLedger.saveComparedUntil(new Date('2027-01-01T05:00:00.000Z'));
      await fleetLedger.saveComparedUntil(now);
      expect(await fleetLedger.comparedUntil()).toEqual(now);
    });
  });

  test('the last selection has no time before the first one, and then the time that was saved last', async () => {
    const { fleetLedger } = portsOf();
    expect(await fleetLedger.lastSelection()).toBeNull();
    await fleetLedger.recordSelection(new Date('2027-01-01T05:00:00.000Z'));
    await fleetLedger.recordSelection(now);
    expect(await fleetLedger.lastSelection()).toEqual(now);
  });

  test('the bucket of new orders is the one from which renewals take tokens', async () => {
    const { ledger, fleetLedger } = portsOf();
    const directory = 'https://fleet-bucket.example/directory';
    expect(await fleetLedger.orderBucket(directory)).toBeNull();
    await ledger.debitOrder(directory, renewal, { burst: 3, everySeconds: 36 }, now);
    expect(await fleetLedger.orderBucket(directory)).toEqual(await ledger.orderBucket(directory));
    expect(await fleetLedger.orderBucket(directory)).toMatchObject({ tokens: 2 });
  });

  describe('the lease of the fleet', () => {
    const free = async (...executions: string[]) => {
      for (const each of executions) while (!(await portsOf().fleetLedger.release(each))) await Promise.resolve();
    };

    test('is taken by one execution, and by another one only instead of the holder', async () => {
      const { fleetLedger } = portsOf();
      expect(await fleetLedger.takeLease(noon, now)).toBeNull();
      expect(await fleetLedger.takeLease(noon, now)).toBeNull();
      expect(await fleetLedger.takeLease(evening, now)).toMatchObject({ execution: noon, since: now.toISOString() });
      expect(await fleetLedger.takeLease(evening, now, night)).toMatchObject({ execution: noon });
      expect(await fleetLedger.takeLease(evening, now, noon)).toBeNull();
      expect(await fleetLedger.release(noon)).toBe(true);
      expect(await fleetLedger.takeLease(noon, now)).toMatchObject({ execution: evening });
      await free(evening);
      expect(await fleetLedger.takeLease(noon, now)).toBeNull();
      await free(noon);
    });

    test('is kept once for a selection that was requested', async () => {
      const { fleetLedger } = portsOf();
      await fleetLedger.takeLease(noon, now);
      expect(await fleetLedger.requestSelection(evening, now)).toBe(false);
      expect(await fleetLedger.requestSelection(noon, now)).toBe(true);
      expect(await fleetLedger.release(noon)).toBe(false);
      expect(await fleetLedger.release(noon)).toBe(true);
      expect(await fleetLedger.requestSelection(noon, now)).toBe(false);
    });

    test('passes to another execution without the requests of a selection, which that one makes anyway', async () => {
      const { fleetLedger } = portsOf();
      await fleetLedger.takeLease(noon, now);
      await fleetLedger.requestSelection(noon, now);
      await fleetLedger.handOver(evening, night, now);
      expect(await fleetLedger.takeLease(night, now)).toMatchObject({ execution: noon });
      await fleetLedger.handOver(noon, evening, now);
      expect(await fleetLedger.takeLease(evening, now)).toBeNull();
      expect(await fleetLedger.release(evening)).toBe(true);
    });
  });

  test('the cursor is the position that was saved last, until it is removed', async () => {
    const { fleetLedger } = portsOf();
    await fleetLedger.saveCursor('certificate#www');
    expect(await fleetLedger.cursor()).toBe('certificate#www');
    await fleetLedger.saveCursor(null);
    expect(await fleetLedger.cursor()).toBeNull();
  });
}

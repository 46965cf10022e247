import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../../../../lambdas/domain/ports/ledger.ts';
import type { SavedOrder } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { deliveryWith, factsWith } from '../../../../fakes/specs.ts';

const earlier = new Date('2027-01-01T05:00:00.000Z');
const now = new Date('2027-01-01T06:00:00.000Z');
const me = 'arn:aws:states:us-east-1:123456789012:execution:renewal:me';
const other = 'arn:aws:states:us-east-1:123456789012:execution:renewal:other';

const value = (text: string) => ({ hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: text });
const order: SavedOrder = {
  url: 'https://ca.example/order/1',
  finalize: 'https://ca.example/order/1/finalize',
  expires: null,
  execution: me,
  specHash: 'spec',
  directoryUrl: 'https://ca.example/directory',
};
const delivery = deliveryWith();
const failure = (last: string) => ({ last, error: 'CaaError', cause: 'CAA forbids it.', specHash: 'spec' });
const renewalTime = new Date('2027-02-01T06:30:00Z');
const renewalInfo = (certificateId: string) => ({
  certificateId,
  start: null,
  end: null,
  explanationUrl: null,
  nextFetch: '2027-01-01T12:00:00Z',
});
const check = (versionId: string) => ({
  versionId,
  at: '2027-01-01T06:00:00.000Z',
  served: false,
  endpoints: [
    { endpoint: 'www.example.com:443', status: 'other' as const, serialNumber: '0A01', detail: 'an older one' },
  ],
});

/**
 * The contract of the port, tested against DynamoDB and against the fake. The tests of the steps use the fake, so they are only as reliable
 * as it is. Each test uses its own certificates.
 */
export function ledgerBehaviour(ledgerOf: () => Ledger): void {
  const lease = (certificate: string, execution = me, instead?: string, at = now) =>
    ledgerOf().takeLease({ certificate }, { certificate, execution }, at, instead);
  const leaseSet = (set: string, certificate: string, execution: string, instead?: string) =>
    ledgerOf().takeLease({ set }, { certificate, execution }, now, instead);
  const read = (certificate: string) => ledgerOf().certificate(certificate);

  describe('a record', () => {
    test('of an unknown certificate is empty', async () => {
      expect(await read('unknown')).toEqual(emptyRecord);
    });

    test('has everything that was written', async () => {
      const ledger = ledgerOf();
      const current = factsWith({ certificateId: 'aki.serial' });
      await lease('whole');
      await ledger.saveOrder('whole', order, [value('1')]);
      await ledger.recordCurrent('whole', me, current);
      await ledger.recordDelivery('whole', me, 'us-east-1', delivery);
      await ledger.recordAccess('whole', me, 'hash');
      await ledger.recordAnnounced('whole', me, 'version-1');
      await ledger.recordRevocation('whole', 'version-0');
      await ledger.recordServed('whole', check('version-1'));
      await ledger.saveRenewalInfo('whole', renewalInfo('aki.serial'), renewalTime);
      await ledger.recordFailure('whole', me, failure('t1'), { notBefore: 't2', issuersFault: true });
      const record = {
        lease: me,
        leasedAt: now.toISOString(),
        firstLeasedAt: now.toISOString(),
        current,
        deliveries: { 'us-east-1': delivery },
        order,
        leftovers: [value('1')],
        failure: { ...failure('t1'), count: 1, issuerFailures: 1 },
        notBefore: 't2',
        renewalInfo: renewalInfo('aki.serial'),
        renewalTime: renewalTime.toISOString(),
        announcedVersion: 'version-1',
        revokedVersion: 'version-0',
        served: check('version-1'),
        access: 'hash',
      };
      expect(await read('whole')).toEqual(record);
      expect(await ledger.certificates(['whole'])).toEqual(new Map([['whole', record]]));
    });

    test('is read together with others, and unknown certificates are omitted', async () => {
      await lease('many-1');
      await lease('many-2', other);
      const found = await ledgerOf().certificates(['many-1', 'unknown', 'many-2', 'many-1']);
      expect([...found].map(([name, record]) => [name, record.lease])).toEqual([
        ['many-1', me],
        ['many-2', other],
      ]);
      expect(await ledgerOf().certificates([])).toEqual(new Map());
    });
  });

  describe('what a comparison found', () => {
    const found = { notBefore: '2026-01-05T00:00:00Z', notAfter: '2026-04-05T00:00:00Z' };
    const outside = {
      at: now.toISOString(),
      versionId: 'version-1',
      storedVersion: null,
      changes: [{ kind: 'secretDeleted', resource: 'arn', detail: 'It was deleted.', action: 'It is issued.' }],
    } as const;
    const { arn } = delivery;
    const changed = {
      versionId: 'version-1',
      outside,
      imports: { 'eu-west-1': { arn, found: null }, 'us-east-1': { arn, found } },
    };
    const unchanged = {
      versionId: 'version-1',
      outside: null,
      imports: { 'eu-west-1': { arn, found: undefined }, 'us-east-1': { arn, found: undefined } },
    };

    /** Saves a certificate that was delivered to two regions. */
    async function compared(name: string): Promise<Ledger> {
      const ledger = ledgerOf();
      await lease(name);
      await ledger.recordCurrent(name, me, factsWith());
      for (const region of ['eu-west-1', 'us-east-1']) await ledger.recordDelivery(name, me, region, delivery);
      return ledger;
    }

    test('is saved, and removed by a comparison that finds no difference', async () => {
      const ledger = await compared('compared');
      await ledger.release('compared', me);
      const before = await read('compared');
      expect(await ledger.recordComparison('compared', changed)).toBe(true);
      expect(await read('compared')).toEqual({
        ...before,
        outside,
        deliveries: { 'eu-west-1': { ...delivery, found: null }, 'us-east-1': { ...delivery, found } },
      });
      await ledger.recordComparison('compared', unchanged);
      expect(await read('compared')).toEqual(before);
    });

    test('is removed by the execution that holds the lease', async () => {
      const ledger = await compared('compared-dropped');
      await ledger.release('compared-dropped', me);
      await ledger.recordComparison('compared-dropped', { ...changed, imports: {} });
      await lease('compared-dropped');
      await expect(ledger.dropOutsideChanges('compared-dropped', other)).rejects.toMatchObject({
        name: 'LeaseLostError',
      });
      await ledger.dropOutsideChanges('compared-dropped', me);
      await ledger.dropOutsideChanges('compared-dropped', me);
      expect(await read('compared-dropped')).not.toHaveProperty('outside');
    });

    test('is not saved while an execution holds the lease, nor after another version or ARN was recorded', async () => {
      const ledger = await compared('compared-leased');
      const before = await read('compared-leased');
      expect(await ledger.recordComparison('compared-leased', changed)).toBe(false);
      expect(await read('compared-leased')).toEqual(before);
      await ledger.release('compared-leased', me);
      const released = await read('compared-leased');
      const otherImport = { ...changed, imports: { 'us-east-1': { arn: 'old', found } } };
      expect(await ledger.recordComparison('compared-leased', { ...changed, versionId: 'version-0' })).toBe(false);
      expect(await ledger.recordComparison('compared-leased', otherImport)).toBe(false);
      expect(await ledger.recordComparison('compared-unknown', changed)).toBe(false);
      expect(await read('compared-leased')).toEqual(released);
      expect(await read('compared-unknown')).toEqual(emptyRecord);
    });
  });

  describe('the lease of a certificate', () => {
    test('is taken by one of five executions that request it at the same time, and the others get the name of the holder', async () => {
      const executions = ['e0', 'e1', 'e2', 'e3', 'e4'];
      const answers = await Promise.all(executions.map((execution) => lease('raced', execution)));
      expect(answers.filter((answer) => answer === null)).toHaveLength(1);
      const execution = executions[answers.indexOf(null)];
      const holder = { execution, since: now.toISOString(), orders: false };
      expect(new Set(answers)).toEqual(new Set([null, ...answers.filter((answer) => answer?.execution === execution)]));
      expect(await lease('raced', 'later')).toEqual(holder);
      expect(await read('raced')).toMatchObject({ lease: execution, leasedAt: now.toISOString() });
    });

    test('can be taken again by its holder, which updates its time and keeps the record and the time of the first lease', async () => {
      await lease('again', me, undefined, earlier);
      await ledgerOf().recordDelivery('again', me, 'us-east-1', delivery);
      expect(await lease('again')).toBeNull();
      expect(await read('again')).toMatchObject({
        lease: me,
        leasedAt: now.toISOString(),
        firstLeasedAt: earlier.toISOString(),
        deliveries: { 'us-east-1': delivery },
      });
    });

    test('is taken from the execution that the caller names as stopped, and from no other', async () => {
      await lease('stopped', 'stopped');
      expect(await lease('stopped', me, 'another')).toMatchObject({ execution: 'stopped' });
      expect(await lease('stopped', me, 'stopped')).toBeNull();
      await expect(ledgerOf().assertLease('stopped', 'stopped')).rejects.toMatchObject({ name: 'LeaseLostError' });
      await ledgerOf().assertLease('stopped', me);
    });

    test('tells whether its holder orders, which is not true after another execution has taken it', async () => {
      await lease('ordering', 'first');
      await leaseSet('ordering-set', 'ordering', 'first');
      expect(await lease('ordering', me)).toMatchObject({ execution: 'first', orders: true });
      await lease('ordering', other, 'first');
      expect(await lease('ordering', me)).toMatchObject({ execution: other, orders: false });
    });

    test('is released only by its holder, and can be released twice', async () => {
      const ledger = ledgerOf();
      await ledger.release('released', me);
      await lease('released');
      await ledger.release('released', other);
      await ledger.assertLease('released', me);
      await ledger.release('released', me);
      await ledger.release('released', me);
      expect(await read('released')).toMatchObject({ lease: null, leasedAt: null });
      await expect(ledger.assertLease('released', me)).rejects.toMatchObject({ name: 'LeaseLostError' });
      expect(await lease('released', other)).toBeNull();
    });
  });

  describe('the lease of an identifier set', () => {
    test('is taken by one execution only, and that execution holds the lease of its certificate', async () => {
      await lease('set-first');
      await lease('set-second', other);
      expect(await leaseSet('set', 'set-first', me)).toBeNull();
      expect(await leaseSet('set', 'set-first', me)).toBeNull();
      expect(await leaseSet('set', 'set-second', other)).toMatchObject({ execution: me, since: now.toISOString() });
      expect(await leaseSet('set', 'set-second', other, 'another')).toMatchObject({ execution: me });
      expect(await leaseSet('set', 'set-second', other, me)).toBeNull();
    });

    test('is not taken without the lease of the certificate', async () => {
      await lease('set-unheld', other);
      await lease('set-free', me);
      await expect(leaseSet('unheld', 'set-unheld', me)).rejects.toMatchObject({ name: 'LeaseLostError' });
      expect(await leaseSet('unheld', 'set-free', me)).toBeNull();
    });

    test('is released with the lease of the certificate, unless another execution has taken it', async () => {
      const ledger = ledgerOf();
      await lease('set-mine');
      await leaseSet('mine', 'set-mine', me);
      await leaseSet('lost', 'set-mine', me);
      await lease('set-taker', other);
      await leaseSet('lost', 'set-taker', other, me);
      await ledger.release('set-mine', me);
      expect(await leaseSet('mine', 'set-taker', other)).toBeNull();
      await lease('set-mine', me);
      expect(await leaseSet('lost', 'set-mine', me)).toMatchObject({ execution: other });
    });

    test('is released even if another execution has taken the lease of the certificate', async () => {
      const ledger = ledgerOf();
      await lease('set-passed');
      await leaseSet('passed', 'set-passed', me);
      await lease('set-passed', other, me);
      await ledger.release('set-passed', me);
      await ledger.assertLease('set-passed', other);
      expect(await leaseSet('passed', 'set-passed', other)).toBeNull();
      await ledger.release('set-passed', other);
      await lease('set-passed');
      expect(await leaseSet('passed', 'set-passed', me)).toBeNull();
    });
  });

  describe('without the lease', () => {
    /** Calls that would change the record below if the ledger accepted them. */
    const writes: Readonly<Record<string, (ledger: Ledger, certificate: string, execution: string) => Promise<void>>> =
      {
        saveOrder: (ledger, certificate, execution) =>
          ledger.saveOrder(certificate, { ...order, url: 'https://ca.example/order/2', execution }, [value('2')]),
        dropOrder: (ledger, certificate, execution) => ledger.dropOrder(certificate, execution, order.url),
        recordCurrent: (ledger, certificate, execution) =>
          ledger.recordCurrent(certificate, execution, factsWith({ versionId: 'version-2' })),
        recordDelivery: (ledger, certificate, execution) =>
          ledger.recordDelivery(certificate, execution, 'us-east-1', { ...delivery, versionId: 'version-2' }),
        recordAccess: (ledger, certificate, execution) => ledger.recordAccess(certificate, execution, 'changed'),
        recordAnnounced: (ledger, certificate, execution) =>
          ledger.recordAnnounced(certificate, execution, 'version-2'),
        recordSuccess: (ledger, certificate, execution) =>
          ledger.recordSuccess(certificate, execution, { renewalTime, announcedVersion: 'version-1' }),
        recordFailure: (ledger, certificate, execution) =>
          ledger.recordFailure(certificate, execution, failure('t2'), { notBefore: null, issuersFault: true }),
      };

    test.each(Object.entries(writes))('%s is rejected and changes nothing', async (name, write) => {
      const ledger = ledgerOf();
      const certificate = `guarded-${name}`;
      await lease(certificate);
      await ledger.saveOrder(certificate, order, [value('1')]);
      await ledger.recordCurrent(certificate, me, factsWith());
      await ledger.recordDelivery(certificate, me, 'us-east-1', delivery);
      await ledger.recordAccess(certificate, me, 'hash');
      await ledger.recordFailure(certificate, me, failure('t1'), { notBefore: 't2', issuersFault: false });

      const before = await read(certificate);
      await expect(write(ledger, certificate, other)).rejects.toMatchObject({ name: 'LeaseLostError' });
      expect(await read(certificate), 'another execution holds the lease').toEqual(before);
      await ledger.release(certificate, me);
      const released = await read(certificate);
      await expect(write(ledger, certificate, me)).rejects.toMatchObject({ name: 'LeaseLostError' });
      expect(await read(certificate), 'no execution holds the lease').toEqual(released);
      await expect(write(ledger, `${certificate}-unknown`, me)).rejects.toMatchObject({ name: 'LeaseLostError' });
      expect(await ledger.certificates([`${certificate}-unknown`])).toEqual(new Map());
    });
  });

  describe('an order', () => {
    test('replaces the saved order, and its TXT values are added to the leftover ones', async () => {
      const ledger = ledgerOf();
      const next = { ...order, url: 'https://ca.example/order/2' };
      await lease('ordered');
      await ledger.saveOrder('ordered', order, [value('1'), value('2'), value('1')]);
      await ledger.saveOrder('ordered', next, [value('2'), value('3')]);
      await ledger.saveOrder('ordered', next, []);
      const { order: saved, leftovers } = await read('ordered');
      expect(saved).toEqual(next);
      expect(leftovers.map((each) => each.value).toSorted()).toEqual(['1', '2', '3']);
    });

    test('is dropped only if it is the saved order, and its TXT values are kept', async () => {
      const ledger = ledgerOf();
      await lease('dropped');
      await ledger.saveOrder('dropped', order, [value('1')]);
      await ledger.dropOrder('dropped', me, 'https://ca.example/order/2');
      expect((await read('dropped')).order).toEqual(order);
      await ledger.dropOrder('dropped', me, order.url);
      await ledger.dropOrder('dropped', me, order.url);
      expect(await read('dropped')).toMatchObject({ order: null, leftovers: [value('1')] });
    });
  });

  describe('leftover TXT values', () => {
    test('are removed without a lease, regardless of the order of their fields', async () => {
      const ledger = ledgerOf();
      await lease('leftovers');
      await ledger.saveOrder('leftovers', order, [value('1'), value('2'), value('3')]);
      await ledger.release('leftovers', me);
      await ledger.removeLeftovers('leftovers', []);
      expect(await ledger.withLeftovers()).toContain('leftovers');
      const { hostedZoneId, name } = value('1');
      await ledger.removeLeftovers('leftovers', [{ value: '1', name, hostedZoneId }, value('3')]);
      await ledger.removeLeftovers('leftovers', [value('1')]);
      expect((await read('leftovers')).leftovers).toEqual([value('2')]);
      await ledger.removeLeftovers('leftovers', [value('2')]);
      expect(await ledger.withLeftovers()).not.toContain('leftovers');
      await ledger.removeLeftovers('leftovers', [value('2')]);
      expect((await read('leftovers')).leftovers).toEqual([]);
    });

    test('are saved without the role of their hosted zone, and removed even if that role has changed', async () => {
      const ledger = ledgerOf();
      const role = (name: string) => ({ arn: `arn:aws:iam::111122223333:role/${name}`, externalId: 'the-shop-0815' });
      await lease('roles');
      await ledger.saveOrder('roles', order, [{ ...value('1'), role: role('then') }]);
      expect((await read('roles')).leftovers).toEqual([value('1')]);
      await ledger.removeLeftovers('roles', [{ ...value('1'), role: role('now') }]);
      expect((await read('roles')).leftovers).toEqual([]);
    });

    test('that were reported are removed with the time of the event, and only by the execution with the lease', async () => {
      const ledger = ledgerOf();
      const at = new Date('2026-03-01T12:00:00Z');
      await lease('reported');
      await ledger.saveOrder('reported', order, [value('1'), value('2')]);
      await ledger.recordLeftoversReported('reported', me, at, [value('1')]);
      await ledger.recordLeftoversReported('reported', me, at, []);
      expect(await read('reported')).toMatchObject({ leftovers: [value('2')], leftoversReportedAt: at.toISOString() });
      await ledger.recordLeftoversReported('reported', me, at, [value('2')]);
      await ledger.recordLeftoversReported('reported', me, at, [value('2')]);
      expect((await read('reported')).leftovers).toEqual([]);
      await ledger.release('reported', me);
      await expect(ledger.recordLeftoversReported('reported', me, at, [])).rejects.toMatchObject({
        name: 'LeaseLostError',
      });
    });

    test('of an unknown certificate are removed without creating a record', async () => {
      await ledgerOf().removeLeftovers('never-removed', [value('1')]);
      expect(await ledgerOf().certificates(['never-removed'])).toEqual(new Map());
    });
  });

  test('keeps the last delivery to each region', async () => {
    const ledger = ledgerOf();
    const replaced = {
      ...delivery,
      replaced: { arn: 'arn:aws:acm:eu-central-1:1:certificate/0', action: 'Replace it.' },
    };
    await lease('delivered');
    await ledger.recordDelivery('delivered', me, 'us-east-1', { ...delivery, versionId: 'version-0' });
    await ledger.recordDelivery('delivered', me, 'eu-central-1', replaced);
    await ledger.recordDelivery('delivered', me, 'us-east-1', delivery);
    expect((await read('delivered')).deliveries).toEqual({ 'us-east-1': delivery, 'eu-central-1': replaced });
  });

  test('keeps renewal information only for the current certificate, and needs no lease to save it', async () => {
    const ledger = ledgerOf();
    await lease('asked');
    await ledger.saveRenewalInfo('asked', renewalInfo('old'), renewalTime);
    await ledger.recordCurrent('asked', me, factsWith({ certificateId: 'new' }));
    await ledger.release('asked', me);
    await ledger.saveRenewalInfo('asked', renewalInfo('old'), renewalTime);
    expect((await read('asked')).renewalInfo).toBeNull();
    expect((await read('asked')).renewalTime).toBeUndefined();
    await ledger.saveRenewalInfo('asked', renewalInfo('new'), renewalTime);
    expect(await read('asked')).toMatchObject({
      renewalInfo: renewalInfo('new'),
      renewalTime: renewalTime.toISOString(),
    });
  });

  test('keeps an endpoint check only for the current version, and needs no lease to save it', async () => {
    const ledger = ledgerOf();
    await lease('seen');
    await ledger.recordServed('seen', check('version-1'));
    await ledger.recordCurrent('seen', me, factsWith({ versionId: 'version-1' }));
    await ledger.release('seen', me);
    await ledger.recordServed('seen', check('version-0'));
    expect((await read('seen')).served).toBeUndefined();
    await ledger.recordServed('seen', check('version-1'));
    expect((await read('seen')).served).toEqual(check('version-1'));
  });

  test('pauses renewals without a lease, also of a certificate that was never issued, and ends the pause', async () => {
    const until = '2026-05-01T00:00:00Z';
    await ledgerOf().recordPause('paused', until);
    expect(await read('paused')).toMatchObject({ pausedUntil: until, current: null });
    await ledgerOf().recordPause('paused', null);
    expect((await read('paused')).pausedUntil).toBeUndefined();
  });

  test('records the access settings of the secret that the lease holder has applied', async () => {
    await lease('read');
    await ledgerOf().recordAccess('read', me, 'hash');
    expect((await read('read')).access).toBe('hash');
    await ledgerOf().recordAccess('read', me, '');
    expect((await read('read')).access, 'known to be empty').toBe('');
  });

  test('records a revocation even if another execution holds the lease, and creates no record for it', async () => {
    await lease('revoked', other);
    await ledgerOf().recordRevocation('revoked', 'version-1');
    expect(await read('revoked')).toMatchObject({ revokedVersion: 'version-1', lease: other });
    await ledgerOf().recordRevocation('never-revoked', 'version-1');
    expect(await ledgerOf().certificates(['never-revoked'])).toEqual(new Map());
  });

  test('keeps the account at each directory, with the time at which it was read', async () => {
    const account = { url: 'https://ca.example/acct/1', caaIdentities: ['ca.example'] };
    expect(await ledgerOf().account('https://ca.example/directory')).toBeNull();
    await ledgerOf().recordAccount('https://ca.example/directory', account, now);
    expect(await ledgerOf().account('https://ca.example/directory')).toEqual({ ...account, readAt: now.toISOString() });
    expect(await ledgerOf().account('https://other.example/directory')).toBeNull();
  });

  test('keeps a stale account until it is read again, and creates none for an unknown directory', async () => {
    const directoryUrl = 'https://stale.example/directory';
    const account = { url: 'https://stale.example/acct/1', caaIdentities: ['ca.example'] };
    await ledgerOf().markAccountStale(directoryUrl);
    expect(await ledgerOf().account(directoryUrl)).toBeNull();
    await ledgerOf().recordAccount(directoryUrl, account, earlier);
    await ledgerOf().markAccountStale(directoryUrl);
    await ledgerOf().markAccountStale(directoryUrl);
    expect(await ledgerOf().account(directoryUrl)).toEqual({ ...account, readAt: null });
    await ledgerOf().recordAccount(directoryUrl, account, now);
    expect(await ledgerOf().account(directoryUrl)).toEqual({ ...account, readAt: now.toISOString() });
  });

  test('keeps the fingerprint of each account key once, beside the account', async () => {
    const directoryUrl = 'https://keys.example/directory';
    expect(await ledgerOf().accountKeys(directoryUrl)).toEqual([]);
    for (const fingerprint of ['f1', 'f2', 'f1']) await ledgerOf().recordAccountKey(directoryUrl, fingerprint);
    const account = { url: 'https://keys.example/acct/1', caaIdentities: [] };
    await ledgerOf().recordAccount(directoryUrl, account, now);
    expect((await ledgerOf().accountKeys(directoryUrl)).toSorted()).toEqual(['f1', 'f2']);
    expect(await ledgerOf().account(directoryUrl)).toEqual({ ...account, readAt: now.toISOString() });
    expect(await ledgerOf().accountKeys('https://other.example/directory')).toEqual([]);
  });

  describe('failures', () => {
    test('are counted once for each time, with a separate count for the issuer, and keep the order', async () => {
      const ledger = ledgerOf();
      await lease('failing');
      await ledger.saveOrder('failing', order, []);
      await ledger.recordFailure('failing', me, failure('t1'), { notBefore: 't3', issuersFault: true });
      await ledger.recordFailure('failing', me, failure('t1'), { notBefore: 't3', issuersFault: true });
      expect(await read('failing')).toMatchObject({ failure: { count: 1, issuerFailures: 1 }, notBefore: 't3' });
      await ledger.recordFailure('failing', me, failure('t2'), { notBefore: null, issuersFault: false });
      expect(await read('failing')).toMatchObject({
        order,
        failure: { ...failure('t2'), count: 2, issuerFailures: 1 },
        notBefore: null,
      });
    });

    test('keep the time of the first one until a success', async () => {
      const ledger = ledgerOf();
      const fail = (at: string) =>
        ledger.recordFailure('since', me, failure(at), { notBefore: null, issuersFault: false });
      await lease('since');
      await fail('t1');
      expect((await read('since')).failure).not.toHaveProperty('first');
      await fail('t2');
      await fail('t3');
      expect((await read('since')).failure).toMatchObject({ first: 't1', last: 't3' });
      await ledger.recordSuccess('since', me, { renewalTime: null, announcedVersion: null });
      await fail('t4');
      expect((await read('since')).failure).not.toHaveProperty('first');
    });

    test('are cleared by a success, which also drops the order and nothing else, and are then counted from one', async () => {
      const ledger = ledgerOf();
      await lease('recovered');
      await ledger.saveOrder('recovered', order, [value('1')]);
      await ledger.recordCurrent('recovered', me, factsWith());
      await ledger.recordDelivery('recovered', me, 'us-east-1', delivery);
      await ledger.recordFailure('recovered', me, failure('t1'), { notBefore: 't2', issuersFault: true });
      const before = await read('recovered');
      await ledger.recordSuccess('recovered', me, { renewalTime, announcedVersion: 'version-1' });
      await ledger.recordSuccess('recovered', me, { renewalTime, announcedVersion: 'version-1' });
      const saved = { renewalTime: renewalTime.toISOString(), announcedVersion: 'version-1' };
      expect(await read('recovered')).toEqual({ ...before, order: null, failure: null, notBefore: null, ...saved });
      await ledger.recordSuccess('recovered', me, { renewalTime: null, announcedVersion: null });
      expect(await read('recovered')).toMatchObject(saved);
      await ledger.recordFailure('recovered', me, failure('t4'), { notBefore: null, issuersFault: false });
      expect((await read('recovered')).failure).toMatchObject({ count: 1, issuerFailures: 0 });
    });
  });

  describe('issues of an identifier set', () => {
    const url = (number: number) => `https://ca.example/acme/order/${number}`;
    const at = (time: string) => new Date(`2027-01-01T${time}.000Z`);

    test('are counted once for each order, with the time of the first call', async () => {
      await ledgerOf().countIssue('counted', url(1), at('04:00:00'));
      await ledgerOf().countIssue('counted', url(1), now);
      await ledgerOf().countIssue('counted', url(2), at('05:00:00'));
      expect(await ledgerOf().issues('counted', now)).toEqual({
        [url(1)]: '2027-01-01T04:00:00.000Z',
        [url(2)]: '2027-01-01T05:00:00.000Z',
      });
      expect(await ledgerOf().issues('unknown', now)).toEqual({});
    });

    test('are limited to the last 24 hours', async () => {
      await ledgerOf().countIssue('daily', url(1), new Date('2026-12-31T06:00:00.000Z'));
      await ledgerOf().countIssue('daily', url(2), new Date('2026-12-31T06:00:00.001Z'));
      expect(Object.keys(await ledgerOf().issues('daily', now))).toEqual([url(2)]);
    });

    test('can be refunded, whether or not they were counted', async () => {
      await ledgerOf().refundIssue('refunded', url(1));
      await ledgerOf().countIssue('refunded', url(1), now);
      await ledgerOf().countIssue('refunded', url(2), now);
      await ledgerOf().refundIssue('refunded', url(1));
      await ledgerOf().refundIssue('refunded', url(1));
      expect(Object.keys(await ledgerOf().issues('refunded', now))).toEqual([url(2)]);
    });

    test('are removed after a revocation except for the latest, even if this is requested twice', async () => {
      await ledgerOf().countIssue('allowed', url(2), at('03:00:00'));
      await ledgerOf().countIssue('allowed', url(3), at('05:00:00'));
      await ledgerOf().countIssue('allowed', url(1), at('01:00:00'));
      await ledgerOf().allowIssue('allowed');
      await ledgerOf().allowIssue('allowed');
      expect(Object.keys(await ledgerOf().issues('allowed', now))).toEqual([url(3)]);
      await ledgerOf().allowIssue('unknown');
    });

    test('are counted independently of the set lease', async () => {
      await lease('issuing');
      await leaseSet('issued', 'issuing', me);
      await ledgerOf().countIssue('issued', url(1), now);
      await ledgerOf().release('issuing', me);
      expect(Object.keys(await ledgerOf().issues('issued', now))).toEqual([url(1)]);
    });
  });

  describe('orders at a directory', () => {
    const limit = { burst: 3, everySeconds: 36 };
    const debit = (directory: string, execution: string, time = '06:00:00') =>
      ledgerOf().debitOrder(directory, execution, limit, new Date(`2027-01-01T${time}.000Z`));
    const tokens = async (directory: string) => (await ledgerOf().orderBucket(directory))?.tokens;

    test('take a token each, and one more is there after the refill time', async () => {
      const directory = 'https://bucket.example/directory';
      expect(await ledgerOf().orderBucket(directory)).toBeNull();
      await debit(directory, 'e1');
      await debit(directory, 'e2');
      expect(await ledgerOf().orderBucket(directory)).toMatchObject({ tokens: 1, at: '2027-01-01T06:00:00.000Z' });
      await debit(directory, 'e3', '06:00:18');
      expect(await tokens(directory)).toBe(0.5);
      expect(await ledgerOf().orderBucket('https://other-bucket.example/directory')).toBeNull();
    });

    test('of one execution take one token, even if it is debited again after others', async () => {
      const directory = 'https://once.example/directory';
      await debit(directory, 'e1');
      await debit(directory, 'e1');
      await debit(directory, 'e2');
      await debit(directory, 'e1', '06:00:01');
      expect(await tokens(directory)).toBe(1);
    });

    test('that begin at the same time take a token each', async () => {
      const directory = 'https://race.example/directory';
      await Promise.all(['e1', 'e2', 'e3', 'e1'].map((execution) => debit(directory, execution)));
      expect(await tokens(directory)).toBe(0);
    });

    test('are not refused by an empty bucket, and take no token that comes later', async () => {
      const directory = 'https://empty.example/directory';
      for (const execution of ['e1', 'e2', 'e3', 'e4', 'e5']) await debit(directory, execution);
      expect(await tokens(directory)).toBe(0);
      await debit(directory, 'e6', '06:01:12');
      expect(await tokens(directory)).toBe(1);
    });
  });

  test('keeps the last reply of each directory that asked to wait, beside the bucket of orders', async () => {
    const directory = 'https://busy.example/directory';
    const reply = { at: '2027-01-01T06:00:00.000Z', seconds: 600, certificate: 'www' };
    expect(await ledgerOf().busyReply(directory)).toBeNull();
    await ledgerOf().recordBusyReply(directory, reply);
    expect(await ledgerOf().busyReply(directory)).toEqual(reply);
    expect(await ledgerOf().orderBucket(directory)).toBeNull();
    const other = { at: '2027-01-01T06:00:10.000Z', seconds: 30, certificate: 'api' };
    await ledgerOf().debitOrder(directory, 'e1', { burst: 3, everySeconds: 36 }, now);
    await ledgerOf().recordBusyReply(directory, other);
    expect(await ledgerOf().busyReply(directory)).toEqual(other);
    expect(await ledgerOf().orderBucket(directory)).toMatchObject({ tokens: 2 });
    expect(await ledgerOf().busyReply('https://idle.example/directory')).toBeNull();
  });

  test('keeps the earlier of two replies to the same certificate', async () => {
    const directory = 'https://busy-twice.example/directory';
    const reply = { at: '2027-01-01T06:00:00.000Z', seconds: 600, certificate: 'www' };
    await ledgerOf().recordBusyReply(directory, reply);
    await ledgerOf().recordBusyReply(directory, { ...reply, at: '2027-01-01T06:10:00.000Z' });
    expect(await ledgerOf().busyReply(directory)).toEqual(reply);
  });

  test('counts failed validations of the last hour for each identifier and account', async () => {
    const directory = 'https://ca.example/directory';
    const names = ['example.com', '*.example.com', 'never.example.com'];
    const count = (times: readonly string[], time: string, of = directory) =>
      ledgerOf().countIdentifierFailures(of, times, new Date(time));
    await count(['example.com'], '2027-01-01T05:00:00.000Z');
    await count(['example.com', '*.example.com', 'example.com'], '2027-01-01T05:30:00.000Z');
    await count(names, '2027-01-01T06:00:00.000Z', 'https://other.example/directory');
    await count(['example.com'], '2027-01-01T06:00:00.000Z');
    expect(await ledgerOf().identifierFailures(directory, names, now)).toEqual(
      new Map([
        ['example.com', ['2027-01-01T05:30:00.000Z', '2027-01-01T06:00:00.000Z']],
        ['*.example.com', ['2027-01-01T05:30:00.000Z']],
        ['never.example.com', []],
      ]),
    );
  });
}

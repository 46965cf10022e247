import { expect, test } from 'vitest';
import type { Ledger } from '../../../../../lambdas/domain/ports/ledger.ts';
import { factsWith } from '../../../../fakes/specs.ts';

const now = new Date('2027-01-01T06:00:00.000Z');

/** What the ledger does, in DynamoDB and in memory: the steps' own tests are worth what the fake is. */
export function ledgerBehaviour(ledger: () => Ledger): void {
  test('counts issues by order, and forgets all but the latest when one more is allowed', async () => {
    const url = (number: number) => `https://ca.example/acme/order/${number}`;
    await ledger().refundIssue('counted', url(1));
    await ledger().countIssue('counted', url(1), new Date('2027-01-01T04:00:00.000Z'));
    await ledger().countIssue('counted', url(1), now);
    await ledger().countIssue('counted', url(2), new Date('2027-01-01T05:00:00.000Z'));
    await ledger().countIssue('counted', url(3), now);
    await ledger().refundIssue('counted', url(3));
    expect(await ledger().issues('counted', now)).toEqual({
      [url(1)]: '2027-01-01T04:00:00.000Z',
      [url(2)]: '2027-01-01T05:00:00.000Z',
    });
    await ledger().allowIssue('counted');
    await ledger().allowIssue('counted');
    expect(Object.keys(await ledger().issues('counted', now))).toEqual([url(2)]);
    expect(await ledger().issues('never seen', now)).toEqual({});
  });

  test('counts failed validations of the last hour, of each identifier and account', async () => {
    const directory = 'https://ca.example/directory';
    const names = ['example.com', '*.example.com', 'never.example.com'];
    await ledger().countIdentifierFailures(directory, names.slice(0, 1), new Date('2027-01-01T04:59:59.000Z'));
    await ledger().countIdentifierFailures(directory, names.slice(0, 2), new Date('2027-01-01T05:30:00.000Z'));
    await ledger().countIdentifierFailures('https://other.example/directory', names, now);
    await ledger().countIdentifierFailures(directory, names.slice(0, 1), now);
    expect(await ledger().identifierFailures(directory, names, now)).toEqual(
      new Map([
        ['example.com', ['2027-01-01T05:30:00.000Z', '2027-01-01T06:00:00.000Z']],
        ['*.example.com', ['2027-01-01T05:30:00.000Z']],
        ['never.example.com', []],
      ]),
    );
  });

  test('keeps what the CA said about the current certificate only', async () => {
    const about = (certificateId: string) => ({
      certificateId,
      start: null,
      end: null,
      explanationUrl: null,
      nextFetch: '2027-01-01T12:00:00Z',
    });
    await ledger().takeLease({ certificate: 'asked' }, { certificate: 'asked', execution: 'me' }, now);
    await ledger().saveRenewalInfo('asked', about('old'));
    await ledger().recordCurrent('asked', 'me', factsWith({ certificateId: 'new' }));
    await ledger().saveRenewalInfo('asked', about('old'));
    expect((await ledger().certificate('asked')).renewalInfo).toBeNull();
    await ledger().saveRenewalInfo('asked', about('new'));
    expect((await ledger().certificate('asked')).renewalInfo).toEqual(about('new'));
  });

  test('keeps a look at the endpoints only of the current version', async () => {
    const seen = (versionId: string) => ({
      versionId,
      at: '2027-01-01T06:00:00.000Z',
      served: false,
      endpoints: [
        { endpoint: 'www.example.com:443', status: 'other' as const, serialNumber: '0A01', detail: 'an older one' },
      ],
    });
    await ledger().takeLease({ certificate: 'seen' }, { certificate: 'seen', execution: 'me' }, now);
    await ledger().recordServed('seen', seen('version-1'));
    await ledger().recordCurrent('seen', 'me', factsWith({ versionId: 'version-1' }));
    await ledger().recordServed('seen', seen('version-0'));
    expect((await ledger().certificate('seen')).served).toBeUndefined();
    await ledger().recordServed('seen', seen('version-1'));
    expect((await ledger().certificate('seen')).served).toEqual(seen('version-1'));
  });

  test('knows who may read the secret as the holder of the lease has set it', async () => {
    await ledger().takeLease({ certificate: 'read' }, { certificate: 'read', execution: 'me' }, now);
    await ledger().recordAccess('read', 'me', 'hash');
    expect((await ledger().certificate('read')).access).toBe('hash');
    await ledger().recordAccess('read', 'me', '');
    expect((await ledger().certificate('read')).access, 'known: nobody').toBe('');
    await expect(ledger().recordAccess('read', 'another', 'other')).rejects.toThrow('does not hold the lease');
  });

  test('keeps values without the role of their zone, and strikes them off whatever role it has by then', async () => {
    const value = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'one' };
    const role = (name: string) => ({ arn: `arn:aws:iam::111122223333:role/${name}`, externalId: 'the-shop-0815' });
    const order = { url: 'u', finalize: 'f', expires: null, execution: 'me', specHash: 's', directoryUrl: 'd' };
    await ledger().takeLease({ certificate: 'left' }, { certificate: 'left', execution: 'me' }, now);
    await ledger().saveOrder('left', order, [{ ...value, role: role('then') }]);
    expect((await ledger().certificate('left')).leftovers).toEqual([value]);
    await ledger().strikeLeftovers('left', [{ ...value, role: role('now') }]);
    expect((await ledger().certificate('left')).leftovers).toEqual([]);
  });

  test('remembers the account at each directory', async () => {
    const account = { url: 'https://ca.example/acct/1', caaIdentities: ['ca.example'] };
    expect(await ledger().account('https://ca.example/directory')).toBeNull();
    await ledger().recordAccount('https://ca.example/directory', account);
    expect(await ledger().account('https://ca.example/directory')).toEqual(account);
    expect(await ledger().account('https://other.example/directory')).toBeNull();
  });

  test('keeps the order of a failure until it is dropped, and counts the failures of the issuer apart', async () => {
    const order = { url: 'u', finalize: 'f', expires: null, execution: 'me', specHash: 's', directoryUrl: 'd' };
    const failure = (last: string) => ({ last, error: 'E', cause: 'c' });
    await ledger().takeLease({ certificate: 'failing' }, { certificate: 'failing', execution: 'me' }, now);
    await ledger().saveOrder('failing', order, []);
    await ledger().recordFailure('failing', 'me', failure('t1'), { notBefore: 't3', issuersFault: true });
    await ledger().recordFailure('failing', 'me', failure('t1'), { notBefore: 't3', issuersFault: true });
    await ledger().recordFailure('failing', 'me', failure('t2'), { notBefore: null, issuersFault: false });
    expect(await ledger().certificate('failing')).toMatchObject({
      order,
      failure: { ...failure('t2'), count: 2, issuerFailures: 1 },
      notBefore: null,
    });
    await ledger().dropOrder('failing', 'me', 'another');
    expect((await ledger().certificate('failing')).order).toEqual(order);
    await expect(ledger().dropOrder('failing', 'other', 'u')).rejects.toMatchObject({ name: 'LeaseLostError' });
    await ledger().dropOrder('failing', 'me', 'u');
    await ledger().recordSuccess('failing', 'me');
    expect(await ledger().certificate('failing')).toMatchObject({ order: null, failure: null });
    await ledger().recordFailure('failing', 'me', failure('t4'), { notBefore: null, issuersFault: false });
    expect((await ledger().certificate('failing')).failure).toMatchObject({ count: 1, issuerFailures: 0 });
  });
}

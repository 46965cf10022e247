import { describe, expect, test } from 'vitest';
import {
  InvalidInputError,
  SecretDeletedError,
  SecretNotOwnedError,
  UnknownCertificateError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { CheckRenewalInput } from '../../../lambdas/domain/contract/steps.ts';
import type { SavedOrder } from '../../../lambdas/domain/ports/ledger-certificate.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, issuer, otherExecution, specWith, storedVersion } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  check,
  dueDay,
  failure,
  interrupted,
  issued,
  leftover,
  order,
  quietDay,
  recordFailed,
  reference,
  withId,
} from './checked-renewal.ts';

describe('the action', () => {
  test('for a certificate that was never issued is `issue`, and both leases are taken', async () => {
    const world = createWorld();
    expect(await check(world)).toMatchObject({ action: 'issue', reason: 'never issued', wait: 0, certificate: 'www' });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test('for a certificate that is not due is `none`, and no lease is kept', async () => {
    const world = issued();
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: 'nothing to do, renewal is due 2026-03-02T00:00:00.000Z',
    });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('with a third of the lifetime left is `issue`', async () => {
    expect((await check(issued(dueDay))).action).toBe('issue');
  });

  test('with `force` is `issue`', async () => {
    expect(await check(issued(), { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'issue',
      reason: 'forced',
    });
  });

  test.each([
    ['a pause', {}],
    ['an execution that only cleans up', { request: { certificate: 'www', cleanUp: true } }],
  ])('during %s keeps the failure and the saved order for later', async (_, input) => {
    const world = issued(dueDay);
    const past = '2026-03-14T11:00:00Z';
    world.ledger.put('www', { pausedUntil: '2026-05-01T00:00:00Z', failure, notBefore: past, order });
    expect((await check(world, input)).action).toBe('none');
    expect(world.ledger.get('www')).toMatchObject({ failure, notBefore: past, order, lease: null });
  });

  test('is `clean` first if an interrupted execution left TXT values', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover] });
    expect(await check(world)).toMatchObject({ action: 'clean', leftovers: [leftover] });
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('`clean` has the role that the zone of the leftover values has now', async () => {
    const world = issued(dueDay);
    const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
    const zone = { id: leftover.hostedZoneId, name: 'example.com', role };
    world.ledger.put('www', { leftovers: [leftover] });
    const output = await check(world, { spec: specWith({ hostedZones: [zone] }) });
    expect(output).toMatchObject({ action: 'clean', leftovers: [{ ...leftover, role }] });
  });

  test('after the clean-up is `issue`, and the removed values are removed from the ledger', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    const output = await check(world, { cleaned: true, removed: [leftover] });
    expect(output).toMatchObject({ action: 'issue', leftovers: [] });
    expect(world.ledger.get('www').leftovers).toEqual([]);
  });

  test('after a failed clean-up is `issue`, and the values stay in the ledger', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    expect((await check(world, { cleaned: true })).action).toBe('issue');
    expect(world.ledger.get('www').leftovers).toEqual([leftover]);
  });

  test('is `repair` if the secret has a newer version than the ledger', async () => {
    const world = issued(dueDay);
    world.secrets.put('www', { current: { versionId: storedVersion('newer'), value: 'whole' } });
    expect(await check(world)).toMatchObject({ action: 'repair', current: null });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBeNull();
  });

  test('is `repair` if the table was lost', async () => {
    const world = createWorld();
    world.secrets.put('www', { current: { versionId: storedVersion('lost'), value: 'whole' } });
    expect((await check(world)).action).toBe('repair');
  });

  test('is `none` if another writer stored the value in the secret, whatever its format', async () => {
    const world = issued(quietDay);
    world.secrets.put('www', { current: { versionId: 'c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11', value: 'any text' } });
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('which this stack did not store'),
    });
  });

  test('removes from the ledger what the comparison found if AWSCURRENT was moved back since', async () => {
    const world = issued(quietDay);
    const outside = { at: quietDay, versionId: 'version-1', storedVersion: null, changes: [] };
    world.ledger.put('www', { outside });
    expect((await check(world)).action).toBe('none');
    expect(world.ledger.get('www')).not.toHaveProperty('outside');
  });

  test('keeps in the ledger what the comparison found while it still holds', async () => {
    const world = issued(quietDay);
    const outside = { at: quietDay, versionId: 'version-1', storedVersion: 'version-1', changes: [] };
    world.ledger.put('www', { outside });
    await check(world);
    expect(world.ledger.get('www').outside).toEqual(outside);
  });

  test('is `issue` if the secret holds only its placeholder', async () => {
    const world = createWorld();
    world.secrets.put('www');
    expect((await check(world)).action).toBe('issue');
  });

  test('is `issue` if the secret was deleted, even if the ledger has the certificate', async () => {
    const world = createWorld({ now: quietDay });
    world.ledger.put('www', { current: factsWith() });
    expect((await check(world)).action).toBe('issue');
  });

  test('is `deliver` if a region does not have the current version, and no set lease is taken', async () => {
    const world = issued();
    const output = await check(world, { spec: specWith({ regions: ['us-east-1'] }) });
    expect(output).toMatchObject({
      action: 'deliver',
      current: factsWith(),
      reason: expect.stringContaining('us-east-1'),
    });
    expect(world.ledger.setLease(specWith().setHash)).toBeNull();
  });
});

describe('endpoints', () => {
  const spec = specWith({ endpoints: ['www.example.com:443'] });

  test('are checked for the current version if there is nothing else to do', async () => {
    const world = issued();
    expect(await check(world, { spec })).toMatchObject({
      action: 'checkEndpoints',
      reason: expect.stringMatching(/0a01.*www\.example\.com:443/),
      wait: 0,
      current: factsWith(),
    });
  });

  test('are checked without a lease, because a renewal may need it', async () => {
    const world = issued();
    await check(world, { spec });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('are checked after a resolved failure, which is removed from the ledger', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    expect((await check(world, { spec })).action).toBe('checkEndpoints');
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null });
  });

  test('are followed by changed readers, and a resolved failure is removed before they are set', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    const readers = ['arn:aws:iam::444455556666:root'];
    expect(await check(world, { spec: specWith({ readers }) })).toMatchObject({ action: 'share', current: null });
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null, lease: execution });
  });

  test('are not checked during a deployment that waits for the certificate', async () => {
    const request = { certificate: 'www', deploy: true };
    const startedAt = quietDay;
    expect((await check(issued(), { spec, request, startedAt })).action).toBe('none');
  });
});

describe('`force`', () => {
  test('has no effect if this execution has issued the current certificate', async () => {
    const world = issued();
    world.ledger.put('www', { current: factsWith({ execution }) });
    expect((await check(world, { request: { certificate: 'www', force: true } })).action).toBe('none');
  });

  test('has no effect if this execution has a saved order, which is resumed', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, execution } });
    expect(await check(world, { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'resume',
      order: reference,
    });
  });

  test('still applies after the order of this execution was discarded', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, execution } });
    const request = { certificate: 'www', force: true };
    expect((await check(world, { request, attempt: 2, discardedOrder: order.url })).action).toBe('issue');
    expect(world.ledger.get('www').order).toBeNull();
  });

  test('has no effect in a restart', async () => {
    const world = issued();
    const request = { restartOf: otherExecution };
    interrupted(world, '{"certificate":"www","force":true}');
    expect((await check(world, { request })).action).toBe('none');
  });
});

describe('the saved order of an interrupted execution', () => {
  test('is resumed with its TXT values even if the certificate is not due, and both leases are taken', async () => {
    const world = issued();
    world.ledger.put('www', { order, leftovers: [leftover] });
    expect(await check(world)).toMatchObject({
      action: 'resume',
      order: reference,
      leftovers: [leftover],
      replaces: null,
    });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
    expect(world.ledger.get('www').order).toEqual(order);
  });

  test.each<[string, Partial<SavedOrder>]>([
    ['has expired', { expires: '2026-03-14T00:00:00Z' }],
    ['has another configuration', { specHash: 'other' }],
    ['is at another CA', { directoryUrl: 'https://other.test/directory' }],
    ['has a stored certificate', { url: factsWith().orderUrl ?? '' }],
  ])('is removed if it %s, and its TXT values are cleaned up', async (_, fields) => {
    const world = issued(dueDay);
    world.ledger.put('www', { order: { ...order, ...fields }, leftovers: [leftover] });
    expect(await check(world)).toMatchObject({ action: 'clean', leftovers: [leftover], order: null });
    expect(world.ledger.get('www')).toMatchObject({ order: null, leftovers: [leftover] });
    expect(await check(world, { cleaned: true, removed: [leftover] })).toMatchObject({ action: 'issue' });
  });

  test('is removed if *Check order* has discarded it', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order });
    expect(await check(world, { discardedOrder: order.url })).toMatchObject({ action: 'issue', order: null });
    expect(world.ledger.get('www').order).toBeNull();
  });

  test('is resumed if *Check order* has discarded another order', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order });
    expect((await check(world, { discardedOrder: 'https://ca.test/order/0' })).action).toBe('resume');
  });

  test('leads to `deliver` if its certificate is stored and not delivered', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, url: factsWith().orderUrl ?? '' } });
    expect((await check(world, { spec: specWith({ regions: ['us-east-1'] }) })).action).toBe('deliver');
  });

  test('is resumed in a restart before the `notBefore` time of an earlier failure', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order, failure, notBefore: '2026-03-15T10:00:00Z' });
    expect((await check(world)).action).toBe('none');
    const request = { restartOf: otherExecution };
    interrupted(world);
    expect((await check(world, { request })).action).toBe('resume');
  });
});

describe('after a failure', () => {
  const delayed = { failure, notBefore: '2026-03-15T10:00:00Z' };

  test('nothing is attempted before the `notBefore` time, even if the execution was started by hand', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', delayed);
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('2026-03-15T10:00:00Z'),
    });
    expect(world.ledger.get('www')).toMatchObject({ ...delayed, lease: null });
  });

  test.each<[string, Partial<CheckRenewalInput>, string]>([
    ['before the `notBefore` time by a later attempt of the execution', { attempt: 2 }, dueDay],
    ['before the `notBefore` time with `force`', { request: { certificate: 'www', force: true } }, dueDay],
    ['before the `notBefore` time in an emergency', {}, '2026-03-28T00:00:00Z'],
    ['at the `notBefore` time', {}, '2026-03-15T10:00:00Z'],
  ])('a certificate is ordered %s', async (_, input, now) => {
    const world = issued(now);
    const notBefore = now === '2026-03-28T00:00:00Z' ? '2026-03-29T00:00:00Z' : delayed.notBefore;
    world.ledger.put('www', { failure, notBefore });
    expect((await check(world, input)).action).toBe('issue');
  });

  test('it is removed from the ledger if nothing is left to do', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    expect((await check(world)).action).toBe('none');
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null, lease: null });
  });

  const fallback = { ...issuer, name: 'fallback-ca', directoryUrl: 'https://fallback.test/directory' };
  const spec = specWith({ issuers: [issuer, fallback] });

  test.each([
    [2, 'test-ca', 'key.01'],
    [3, 'fallback-ca', null],
    [6, 'test-ca', 'key.01'],
  ])('that is number %d of an issuer, %s is used', async (issuerFailures, name, replaces) => {
    const world = issued(dueDay);
    world.ledger.put('www', { current: withId, failure: { ...failure, issuerFailures, error: 'CaUnavailableError' } });
    const output = await check(world, { spec });
    expect(output).toMatchObject({ action: 'issue', spec: { issuer: { name }, specHash: spec.specHash }, replaces });
    expect(world.ledger.setLease(output.spec?.setHash ?? '')).toBe(execution);
  });
});

describe('the input of *Check zones*', () => {
  test('has every zone and the account at the issuer', async () => {
    const world = createWorld({ now: quietDay });
    const account = { url: 'https://ca.test/acct/1', caaIdentities: ['ca.test'] };
    await world.ledger.recordAccount(issuer.directoryUrl, account, world.clock.now());
    const hostedZones = [{ id: 'Z1', name: 'example.com' }];
    const answer = await check(world, { spec: specWith({ hostedZones }) });
    expect(answer).toMatchObject({
      action: 'issue',
      challengeZones: hostedZones,
      account: { ...account, readAt: '2026-02-01T00:00:00.000Z' },
    });
  });

  test('fits into a state with 300 zones of other accounts and 100 names', async () => {
    const world = createWorld({ now: quietDay });
    const long = (length: number, text: string) => text.padEnd(length, 'x');
    const hostedZones = Array.from({ length: 300 }, (_, index) => ({
      id: long(32, `Z${index}`),
      name: `${long(60, `zone-${index}-`)}.example`,
      role: {
        arn: `arn:aws-us-gov:iam::111122223333:role/${long(64, `r${index}`)}`,
        externalId: long(64, `e${index}`),
      },
    }));
    const identifiers = hostedZones.slice(0, 100).map(({ name }, index) => `${long(60, `host-${index}-`)}.${name}`);
    const leftovers = hostedZones.slice(0, 100).map(({ id, role, name }) => ({
      hostedZoneId: id,
      role,
      name: `_acme-challenge.${long(60, 'host')}.${name}`,
      value: long(43, 'v'),
    }));
    world.ledger.put('www', { order, leftovers });
    const answer = await check(world, { spec: specWith({ identifiers, hostedZones }) });
    // https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    expect(JSON.stringify(answer).length).toBeLessThan(256 * 1024);
  });

  test('has no account before the first order at the issuer', async () => {
    expect((await check(createWorld({ now: quietDay }))).account).toBeNull();
  });

  test('is empty if nothing is ordered', async () => {
    expect(await check(issued())).toMatchObject({ action: 'none', challengeZones: [], account: null });
  });
});

describe('a certificate is rejected', () => {
  test('with the configured names if its name is unknown, after one read of the ledger and without a lease', async () => {
    const world = createWorld();
    const error = await check(world, { request: { certificate: 'ww' } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnknownCertificateError);
    expect((error as Error).message).toMatch(/^Certificate ww: .*no certificate of this name.*\bwww\b/);
    expect(world.calls.names()).toEqual(['ledger.certificate']);
  });

  test('if the input of the execution has an unknown field, before any call', async () => {
    const world = createWorld();
    await expect(check(world, { request: { name: 'www' } })).rejects.toThrow(InvalidInputError);
    expect(world.calls.names()).toEqual([]);
  });

  test('if this stack did not create its secret, and is checked again after a day or a change of the configuration', async () => {
    const world = createWorld();
    world.secrets.put('www', { owned: false });
    const error = await check(world).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SecretNotOwnedError);
    world.clock.advance(1000);
    const { nextAttempt } = await recordFailed(world, error as Error);
    expect(Date.parse(nextAttempt) - world.clock.now().getTime()).toBe(86_400_000);
    expect(world.ledger.get('www')).toMatchObject({ failure: { count: 1 }, notBefore: nextAttempt });

    world.secrets.put('www', { owned: true });
    expect((await check(world)).action).toBe('none');
    const changed = specWith({ identifiers: ['www.example.com'] });
    expect((await check(world, { spec: changed })).action).toBe('issue');
  });

  test.each([
    ['this stack', true],
    ['another stack', false],
  ])(
    'with the command that ends the replication if its secret is a replica and has the tag of %s',
    async (_, owned) => {
      const world = createWorld();
      world.secrets.put('www', { owned, replica: { region: 'eu-central-1', primaryRegion: 'eu-west-1' } });
      await expect(check(world)).rejects.toMatchObject({
        name: 'SecretReplicaError',
        fields: { region: 'eu-central-1' },
      });
      await expect(check(world)).rejects.toThrow(
        /aws secretsmanager stop-replication-to-replica --secret-id \S+ --region eu-central-1/,
      );
    },
  );

  test('with the restore command if its secret is scheduled for deletion', async () => {
    const world = createWorld();
    world.secrets.put('www', { deletedAt: '2026-03-20T00:00:00Z' });
    await expect(check(world)).rejects.toThrow(SecretDeletedError);
    await expect(check(world)).rejects.toThrow(`restore-secret --secret-id ${world.secrets.arn('www')}`);
  });
});

describe('a second run', () => {
  const situations: Readonly<Record<string, () => World>> = {
    'with nothing to do': () => issued(),
    'with a renewal due': () => issued(dueDay),
    'with leftover TXT values': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { leftovers: [leftover] });
      return world;
    },
    'with a saved order': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { order, leftovers: [leftover] });
      return world;
    },
    'with an expired order': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { order: { ...order, expires: '2026-03-14T00:00:00Z' }, leftovers: [leftover] });
      return world;
    },
    'with a renewal time to wait for': () => {
      const world = issued();
      world.ledger.put('www', { current: withId });
      world.renewalInfos.suggest('key.01', '2026-02-01T05:00:00Z', '2026-02-01T05:00:01Z');
      return world;
    },
    'with a resolved failure': () => {
      const world = issued();
      world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
      return world;
    },
    'with the lease of an execution that has ended': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
      world.executions.setStatus(otherExecution, 'ended');
      return world;
    },
    'with another execution that orders for the same names': () => {
      const world = issued(dueDay);
      world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
      world.executions.setStatus(otherExecution, 'live');
      return world;
    },
  };

  test.each(Object.entries(situations))('%s returns the same and keeps the same lease', async (_, create) => {
    const world = create();
    const first = await check(world);
    const lease = world.ledger.get('www').lease;
    expect(await check(world)).toEqual(first);
    expect(world.ledger.get('www').lease).toBe(lease);
  });

  test.each(Object.entries(situations))('%s completes after an interruption at any call', async (_, create) => {
    const expected = await check(create());
    await interruptedAfterEachCall(create, check, (world, output, last) => {
      expect(output, last).toEqual(expected);
      expect(world.ledger.get('www').lease, last).toBe(['none', 'wait'].includes(output.action) ? null : execution);
    });
  });
});

import { describe, expect, test } from 'vitest';
import { checkRenewal } from '../../../lambdas/check/check-renewal.ts';
import type { CertificateSpec, CheckRenewalInput } from '../../../lambdas/rules/contract.ts';
import {
  InvalidInputError,
  SecretDeletedError,
  SecretNotOursError,
  ThrottledError,
  UnknownCertificateError,
} from '../../../lambdas/rules/errors.ts';
import { dyingAfterEachCall } from '../../fakes/recorder.ts';
import { configOf, execution, factsWith, otherExecution, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
const dueDay = '2026-03-15T00:00:00Z';
const quietDay = '2026-02-01T00:00:00Z';

function check(
  { ports }: World,
  {
    spec = specWith(),
    request = { certificate: 'www' },
    ...input
  }: Partial<CheckRenewalInput> & { readonly spec?: CertificateSpec } = {},
) {
  return checkRenewal(
    { execution, attempt: 1, cleaned: false, removed: [], waits: 0, request, ...input },
    { ...ports, config: configOf(spec) },
  );
}

/** A world in which `www` was issued and stored, and the ledger knows. */
function issued(now = quietDay): World {
  const world = createWorld({ now });
  world.ledger.put('www', { current: factsWith() });
  world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
  return world;
}

describe('what is to be done', () => {
  test('a certificate never seen is issued, with both leases taken', async () => {
    const world = createWorld();
    expect(await check(world)).toMatchObject({ action: 'issue', reason: 'never issued', wait: 0, certificate: 'www' });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test('one that is not due is left alone, and nothing stays taken', async () => {
    const world = issued();
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: 'nothing to do, renewal is due 2026-03-02T00:00:00.000Z',
    });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('one with a third of its lifetime left is issued', async () => {
    expect((await check(issued(dueDay))).action).toBe('issue');
  });

  test('a person who insists gets a new one', async () => {
    expect(await check(issued(), { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'issue',
      reason: 'forced',
    });
  });

  test('values of a dead run are handed over for removal before anything else', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover] });
    expect(await check(world)).toMatchObject({ action: 'clean', leftovers: [leftover] });
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('once cleaned, what is gone from DNS is struck off and the renewal goes on', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    const output = await check(world, { cleaned: true, removed: [leftover] });
    expect(output).toMatchObject({ action: 'issue', leftovers: [] });
    expect(world.ledger.get('www').leftovers).toEqual([]);
  });

  test('a value that could not be removed does not hold up the renewal, and is remembered', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    expect((await check(world, { cleaned: true })).action).toBe('issue');
    expect(world.ledger.get('www').leftovers).toEqual([leftover]);
  });

  test('a secret that is ahead of the ledger is read, not ordered again', async () => {
    const world = issued(dueDay);
    world.secrets.put('www', { current: { versionId: 'version-2', value: 'whole' } });
    expect(await check(world)).toMatchObject({ action: 'repair', current: null });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBeNull();
  });

  test('after the table was lost the secret is read back', async () => {
    const world = createWorld();
    world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
    expect((await check(world)).action).toBe('repair');
  });

  test('a secret that holds nothing but its placeholder is issued for', async () => {
    const world = createWorld();
    world.secrets.put('www');
    expect((await check(world)).action).toBe('issue');
  });

  test('a secret that somebody deleted for good is issued for, whatever the ledger remembers', async () => {
    const world = createWorld({ now: quietDay });
    world.ledger.put('www', { current: factsWith() });
    expect((await check(world)).action).toBe('issue');
  });

  test('a region behind gets the current version, and no order is placed', async () => {
    const world = issued();
    const output = await check(world, { spec: specWith({ regions: ['us-east-1'] }) });
    expect(output).toMatchObject({ action: 'deliver', current: factsWith(), reason: 'not delivered yet: us-east-1' });
    expect(world.ledger.setLease(specWith().setHash)).toBeNull();
  });
});

describe('force is spent', () => {
  test('when this execution made the current certificate', async () => {
    const world = issued();
    world.ledger.put('www', { current: factsWith({ execution }) });
    expect((await check(world, { request: { certificate: 'www', force: true } })).action).toBe('none');
  });

  test('when this execution has an order in the ledger', async () => {
    const world = issued();
    world.ledger.put('www', {
      order: {
        url: 'https://ca.test/order/1',
        finalize: 'https://ca.test/order/1/finalize',
        expires: null,
        execution,
        specHash: specWith().specHash,
        directoryUrl: 'https://ca.test/directory',
      },
    });
    expect((await check(world, { request: { certificate: 'www', force: true } })).action).toBe('none');
  });
});

describe('leases', () => {
  test('an execution that is at work on the same certificate is left to it, forced or not', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
    world.executions.tell(otherExecution, 'live');
    expect(await check(world, { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'none',
      reason: `in progress by ${otherExecution}`,
    });
    expect(world.ledger.get('www').lease).toBe(otherExecution);
  });

  test('the lease of an execution that has ended is taken over', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:59:00Z' });
    world.executions.tell(otherExecution, 'ended');
    expect((await check(world)).action).toBe('issue');
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test.each([
    ['2026-03-14T23:50:00Z', 'none', 'ten minutes ago, and may just have begun'],
    ['2026-03-14T23:49:59Z', 'issue', 'more than ten minutes ago'],
  ])('an execution that nobody knows and that took the lease at %s leads to %s: %s', async (leasedAt, action) => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt });
    world.executions.tell(otherExecution, 'unknown');
    expect((await check(world)).action).toBe(action);
  });

  test('of two that find the same dead holder, the second leaves it to the first', async () => {
    const world = issued(dueDay);
    const third = `${otherExecution}-third`;
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
    world.executions.tell(otherExecution, 'ended');
    world.calls.meanwhile('executions.status', () =>
      world.ledger.put('www', { lease: third, leasedAt: '2026-03-15T00:00:00Z' }),
    );
    expect(await check(world)).toMatchObject({ action: 'none', reason: `in progress by ${third}` });
    expect(world.ledger.get('www').lease).toBe(third);
  });

  test('a twin that issues the same names is waited for with nothing held', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.tell(otherExecution, 'live');
    expect(await check(world)).toMatchObject({
      action: 'wait',
      wait: 60,
      reason: `the same names are being issued by ${otherExecution}`,
    });
    expect(world.ledger.get('www').lease).toBeNull();
    expect(world.ledger.setLease(specWith().setHash)).toBe(otherExecution);
  });

  test('after an hour of waiting for a twin the execution ends and leaves it to the next fleet run', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.tell(otherExecution, 'live');
    expect((await check(world, { waits: 59 })).action).toBe('wait');
    expect((await check(world, { waits: 60 })).action).toBe('none');
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('the set of a dead twin is taken over', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T20:00:00Z' });
    world.executions.tell(otherExecution, 'ended');
    expect((await check(world)).action).toBe('issue');
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test.each(['ledger.certificate', 'secrets.describe'])('are given back when %s fails', async (call) => {
    const world = issued(dueDay);
    world.calls.answer(call, new ThrottledError('Slow down.'));
    await expect(check(world)).rejects.toThrow('Slow down.');
    expect(world.ledger.get('www').lease).toBeNull();
  });
});

describe('what a person has to mend', () => {
  test('an unknown certificate is refused with the names that there are, before any call', async () => {
    const world = createWorld();
    await expect(check(world, { request: { certificate: 'ww' } })).rejects.toThrow(UnknownCertificateError);
    await expect(check(world, { request: { certificate: 'ww' } })).rejects.toThrow(/which has www\b/);
    expect(world.calls.names()).toEqual([]);
  });

  test('input of another shape is refused before any call', async () => {
    const world = createWorld();
    await expect(check(world, { request: { name: 'www' } })).rejects.toThrow(InvalidInputError);
    expect(world.calls.names()).toEqual([]);
  });

  test('a secret that we did not make is left alone, and the lease is free again', async () => {
    const world = createWorld();
    world.secrets.put('www', { ours: false });
    await expect(check(world)).rejects.toThrow(SecretNotOursError);
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('a secret scheduled for deletion is named with the command that restores it', async () => {
    const world = createWorld();
    world.secrets.put('www', { deletedAt: '2026-03-20T00:00:00Z' });
    await expect(check(world)).rejects.toThrow(SecretDeletedError);
    await expect(check(world)).rejects.toThrow(`restore-secret --secret-id ${world.secrets.arn('www')}`);
    expect(world.ledger.get('www').lease).toBeNull();
  });
});

describe('run again', () => {
  const situations: Readonly<Record<string, () => World>> = {
    'with nothing to do': () => issued(),
    'with a renewal due': () => issued(dueDay),
    'with values left over': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { leftovers: [leftover] });
      return world;
    },
    'with a dead holder': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
      world.executions.tell(otherExecution, 'ended');
      return world;
    },
    'with a twin at work': () => {
      const world = issued(dueDay);
      world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
      world.executions.tell(otherExecution, 'live');
      return world;
    },
  };

  test.each(Object.entries(situations))('%s it answers the same and leaves the same', async (_, create) => {
    const world = create();
    const first = await check(world);
    const lease = world.ledger.get('www').lease;
    expect(await check(world)).toEqual(first);
    expect(world.ledger.get('www').lease).toBe(lease);
  });

  test.each(Object.entries(situations))('%s it may die after any call', async (_, create) => {
    const expected = await check(create());
    await dyingAfterEachCall(create, check, (world, output, last) => {
      expect(output, last).toEqual(expected);
      expect(world.ledger.get('www').lease, last).toBe(['none', 'wait'].includes(output.action) ? null : execution);
    });
  });
});

import { describe, expect, test } from 'vitest';
import { RenewalsInProgressError } from '../../../lambdas/domain/contract/errors.ts';
import { freeFleetLease } from '../../../lambdas/fleet/free-fleet-lease.ts';
import { handOverFleetLease } from '../../../lambdas/fleet/hand-over-fleet-lease.ts';
import { holdFleetLease } from '../../../lambdas/fleet/hold-fleet-lease.ts';
import { releaseFleetLease } from '../../../lambdas/fleet/release-fleet-lease.ts';
import { takeFleetLease } from '../../../lambdas/fleet/take-fleet-lease.ts';
import { configOf, issuer, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const prefix = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet';
const noon = `${prefix}:noon`;
const evening = `${prefix}:evening`;

const take = ({ ports }: World, execution: string) => takeFleetLease({ execution }, ports);
const release = ({ ports }: World, execution: string) => releaseFleetLease({ execution }, ports);

describe('the lease of the fleet', () => {
  test('is taken by one execution, and a second one learns its ARN', async () => {
    const world = createWorld();
    world.executions.setStatus(noon, 'live');
    expect(await take(world, noon)).toEqual({ holder: null, after: null });
    expect(await take(world, evening)).toEqual({ holder: noon, after: null });
    expect(await take(world, noon)).toEqual({ holder: null, after: null });
  });

  test('comes with the position at which an earlier run stopped asking for renewal information', async () => {
    const world = createWorld();
    world.executions.setStatus(noon, 'live');
    await world.fleetLedger.saveCursor('certificate#www');
    expect(await take(world, noon)).toEqual({ holder: null, after: 'certificate#www' });
    expect(await take(world, evening)).toEqual({ holder: noon, after: null });
  });

  test('of an execution that has ended is free', async () => {
    const world = createWorld();
    await take(world, noon);
    world.executions.setStatus(noon, 'ended');
    expect((await take(world, evening)).holder).toBeNull();
    expect(world.fleetLedger.lease).toBe(evening);
  });

  test('of an execution that is not known yet is taken for ten minutes', async () => {
    const world = createWorld();
    await take(world, noon);
    world.executions.setStatus(noon, 'unknown');
    world.clock.advance(600_000);
    expect((await take(world, evening)).holder).toBe(noon);
    world.clock.advance(1);
    expect((await take(world, evening)).holder).toBeNull();
  });

  test('is taken if it is released between two calls', async () => {
    const world = createWorld();
    await take(world, noon);
    world.calls.meanwhile('fleetLedger.requestSelection', () => release(world, noon));
    expect((await take(world, evening)).holder).toBeNull();
  });

  test('is not released before a selection for a run that began in the meantime', async () => {
    const world = createWorld();
    world.executions.setStatus(noon, 'live');
    await take(world, noon);
    await take(world, evening);
    expect(await release(world, noon)).toEqual({ released: false });
    expect(await release(world, noon)).toEqual({ released: true });
    expect(await release(world, noon)).toEqual({ released: true });
    expect(world.fleetLedger.lease).toBeNull();
  });
});

describe('the hand-over', () => {
  test('passes the lease to the execution that is started next, also if its reply is lost', async () => {
    const world = createWorld();
    await take(world, noon);
    const { executionName } = await handOverFleetLease({ execution: noon }, world.ports);
    expect(executionName).toMatch(/^continued-[0-9a-f]{32}$/);
    expect(await handOverFleetLease({ execution: noon }, world.ports)).toEqual({ executionName });
    expect(world.fleetLedger.lease).toBe(`${prefix}:${executionName}`);
    expect((await take(world, `${prefix}:${executionName}`)).holder).toBeNull();
  });

  test('of a lease that another execution holds changes nothing', async () => {
    const world = createWorld();
    await take(world, noon);
    await handOverFleetLease({ execution: evening }, world.ports);
    expect(world.fleetLedger.lease).toBe(noon);
  });
});

describe('the lease of the fleet for a change of an account key', () => {
  const rollover = 'arn:aws:states:eu-west-1:111122223333:execution:Accounts:rollover';
  const renewal = 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:www-1';
  const elsewhere = { ...issuer, name: 'other-ca', directoryUrl: 'https://other.test/directory' };
  const api = specWith({ name: 'api', identifiers: ['api.example.com'], issuer: elsewhere });
  const config = configOf(specWith({ issuers: [issuer, elsewhere] }), api);
  const hold = ({ ports }: World) => holdFleetLease({ execution: rollover, issuer }, { ...ports, config });
  const free = ({ ports }: World) => freeFleetLease({ execution: rollover }, ports);

  test('is taken and released, also twice', async () => {
    const world = createWorld();
    await hold(world);
    await hold(world);
    expect(world.fleetLedger.lease).toBe(rollover);
    expect(await free(world)).toEqual({ selectionRequested: false });
    expect(await free(world)).toEqual({ selectionRequested: false });
    expect(world.fleetLedger.lease).toBeNull();
  });

  test('keeps a fleet run from starting renewals, and a fleet run is requested at the end', async () => {
    const world = createWorld();
    await hold(world);
    world.executions.setStatus(rollover, 'live');
    expect((await take(world, noon)).holder).toBe(rollover);
    expect(await free(world)).toEqual({ selectionRequested: true });
    expect(world.fleetLedger.lease).toBeNull();
  });

  test('is not taken from a fleet run that works, and is taken from one that has ended', async () => {
    const world = createWorld();
    await take(world, noon);
    world.executions.setStatus(noon, 'live');
    await expect(hold(world)).rejects.toThrow(RenewalsInProgressError);
    expect(await free(world)).toEqual({ selectionRequested: false });
    expect(world.fleetLedger.lease).toBe(noon);
    world.executions.setStatus(noon, 'ended');
    await hold(world);
    expect(world.fleetLedger.lease).toBe(rollover);
  });

  test('is kept while a renewal may sign with the key, and the error names the renewal', async () => {
    const world = createWorld();
    world.ledger.put('www', { lease: renewal });
    world.executions.setStatus(renewal, 'live');
    await expect(hold(world)).rejects.toThrow(RenewalsInProgressError);
    await expect(hold(world)).rejects.toThrow(`www (${renewal})`);
    expect(world.fleetLedger.lease).toBe(rollover);
  });

  test('does not wait for a renewal at another issuer', async () => {
    const world = createWorld();
    world.ledger.put('api', { lease: renewal });
    await hold(world);
    expect(world.fleetLedger.lease).toBe(rollover);
  });

  test.each(['ended', 'unknown'] as const)('does not wait for an execution whose status is %s', async (status) => {
    const world = createWorld();
    world.ledger.put('www', { lease: renewal });
    world.executions.setStatus(renewal, status);
    await hold(world);
    expect(world.fleetLedger.lease).toBe(rollover);
  });
});

import { describe, expect, test } from 'vitest';
import { handOverFleetLease } from '../../../lambdas/fleet/hand-over-fleet-lease.ts';
import { releaseFleetLease } from '../../../lambdas/fleet/release-fleet-lease.ts';
import { takeFleetLease } from '../../../lambdas/fleet/take-fleet-lease.ts';
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

import { describe, expect, test } from 'vitest';
import { cleanUpChallenges } from '../../../lambdas/challenge/clean-up-challenges.ts';
import { presentChallenges } from '../../../lambdas/challenge/present-challenges.ts';
import type { TxtValue } from '../../../lambdas/domain/contract/certificate-facts.ts';
import {
  RecordSetRefusedError,
  RoleNotAssumedError,
  ThrottledError,
  ZoneNotFoundError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { PresentChallengesOutput } from '../../../lambdas/domain/contract/steps.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const name = '_acme-challenge.example.com';
const records: readonly TxtValue[] = [
  { hostedZoneId: 'Z1', name, value: 'apex' },
  { hostedZoneId: 'Z1', name, value: 'wildcard' },
  { hostedZoneId: 'Z1', name: '_acme-challenge.www.example.com', value: 'www' },
  { hostedZoneId: 'Z2', name: '_acme-challenge.example.net', value: 'net' },
];

function zones(): World {
  const world = createWorld();
  world.hostedZones.addZone('Z1');
  world.hostedZones.addZone('Z2');
  world.hostedZones.put('Z1', name, ['"other"'], { ttl: 3600 });
  return world;
}

const present = ({ ports }: World) => presentChallenges({ ...run, records }, ports);

function expectPresented(world: World, last?: string): void {
  expect(world.hostedZones.get('Z1', name), last).toMatchObject({
    ttl: 3600,
    values: ['"other"', '"apex"', '"wildcard"'],
  });
  expect(world.hostedZones.get('Z1', '_acme-challenge.www.example.com')?.values, last).toEqual(['"www"']);
  expect(world.hostedZones.get('Z2', '_acme-challenge.example.net')?.values, last).toEqual(['"net"']);
}

test('adds every value to the existing ones, with one change per zone', async () => {
  const world = zones();
  const { changes } = await present(world);
  expectPresented(world);
  expect(changes.map(({ hostedZoneId }) => hostedZoneId)).toEqual(['Z1', 'Z2']);
});

test('gives a new set a TTL of at most 60 s', async () => {
  const world = zones();
  await present(world);
  expect(world.hostedZones.get('Z2', '_acme-challenge.example.net')?.ttl).toBeLessThanOrEqual(60);
});

test('writes a value once that two identifiers share', async () => {
  const world = zones();
  const shared = { hostedZoneId: 'Z2', name: '_acme-challenge.example.net', value: 'same' };
  await presentChallenges({ ...run, records: [shared, shared] }, world.ports);
  expect(world.hostedZones.get('Z2', shared.name)?.values).toEqual(['"same"']);
});

test('makes no call without values to write', async () => {
  const world = zones();
  expect(await presentChallenges({ ...run, records: [] }, world.ports)).toEqual({ changes: [], wait: 1 });
  expect(world.calls.names()).toEqual([]);
});

describe('a value that is already there', () => {
  const zonesOf = ({ changes }: Pick<PresentChallengesOutput, 'changes'>) =>
    changes.map(({ hostedZoneId }) => hostedZoneId);

  test('is written again without any difference, so that there is a change to poll', async () => {
    const world = zones();
    const first = await present(world);
    const there = ['Z1', 'Z2'].map((zone) => world.hostedZones.all(zone));
    const again = await present(world);
    expect(['Z1', 'Z2'].map((zone) => world.hostedZones.all(zone))).toEqual(there);
    expectPresented(world);
    expect(zonesOf(again)).toEqual(['Z1', 'Z2']);
    expect(new Set([...first.changes, ...again.changes].map(({ id }) => id)).size).toBe(4);
  });

  test('is polled until INSYNC if it was written before another zone was throttled', async () => {
    const world = zones();
    world.hostedZones.propagation = 'later';
    world.calls.meanwhile('hostedZones.change', () => world.calls.answer('hostedZones.change', throttledError()));
    await expect(present(world)).rejects.toThrow(ThrottledError);
    const { changes } = await present(world);
    expect(zonesOf({ changes })).toEqual(['Z1', 'Z2']);
    expect(await world.hostedZones.pendingChanges(changes)).toEqual(changes);
  });

  test('gets a change id to poll if the reply to the first change was lost', async () => {
    const world = zones();
    const { change } = world.hostedZones;
    world.hostedZones.change = async (id, batch) => {
      world.hostedZones.change = change;
      // The SDK repeats the request, whose change is already made.
      await change.call(world.hostedZones, id, batch);
      return change.call(world.hostedZones, id, batch);
    };
    expect(zonesOf(await present(world))).toEqual(['Z1', 'Z2']);
    expectPresented(world);
  });

  test('is written again only if the set is unchanged since it was read', async () => {
    const world = zones();
    await present(world);
    world.calls.meanwhile('hostedZones.change', () =>
      world.hostedZones.put('Z1', name, ['"other"', '"guest"', '"wildcard"'], { ttl: 60 }),
    );
    await present(world);
    expect(world.hostedZones.get('Z1', name)).toMatchObject({
      ttl: 60,
      values: ['"other"', '"guest"', '"wildcard"', '"apex"'],
    });
  });

  test('is rejected if the name is delegated to other servers', async () => {
    const world = zones();
    await present(world);
    const { values = [] } = world.hostedZones.get('Z1', name) ?? {};
    world.hostedZones.put('Z1', name, values, { unsuitable: 'the name is delegated to other name servers' });
    await expect(present(world)).rejects.toThrow(RecordSetRefusedError);
    await expect(present(world)).rejects.toThrow('the name is delegated to other name servers');
  });
});

describe('zones of other accounts', () => {
  const role = { arn: 'arn:aws:iam::111122223333:role/challenges', externalId: 'the-shop-0815' };
  const inOtherAccount: TxtValue = { hostedZoneId: 'Z3', role, name: '_acme-challenge.example.org', value: 'org' };
  const all = [...records, inOtherAccount];
  function withOtherAccount(): World {
    const world = zones();
    world.hostedZones.addZone('Z3', [], role.arn);
    return world;
  }

  test('are changed with their role, and the changes contain the role', async () => {
    const world = withOtherAccount();
    const { changes } = await presentChallenges({ ...run, records: all }, world.ports);
    expect(world.hostedZones.get('Z3', inOtherAccount.name)?.values).toEqual(['"org"']);
    expect(changes.map(({ hostedZoneId, role: of }) => [hostedZoneId, of])).toEqual([
      ['Z1', undefined],
      ['Z2', undefined],
      ['Z3', role],
    ]);
    expectPresented(world);
  });

  test.each([
    [
      'their role cannot be assumed',
      RoleNotAssumedError,
      (world: World) => world.hostedZones.refusedRoles.add(role.arn),
    ],
    ['one was deleted after the deployment', ZoneNotFoundError, (world: World) => world.hostedZones.removeZone('Z3')],
    [
      'a record set has a routing policy',
      RecordSetRefusedError,
      (world: World) => world.hostedZones.put('Z3', inOtherAccount.name, [], { unsuitable: 'it has a routing policy' }),
    ],
  ])('are reported when %s, and the values of the other zones can be removed', async (_, cause, breakZone) => {
    const world = withOtherAccount();
    breakZone(world);
    const presented = presentChallenges({ ...run, records: all }, world.ports);
    await expect(presented).rejects.toThrow(cause);
    await expect(presented).rejects.toThrow('Z3');
    expectPresented(world);

    const { removed } = await cleanUpChallenges({ ...run, records: all }, world.ports);
    expect(removed).toEqual(expect.arrayContaining([...records]));
    expect(world.hostedZones.all('Z1').map(({ values }) => values)).toEqual([['"other"']]);
    expect(world.hostedZones.all('Z2')).toEqual([]);
  });
});

describe('a set at its limit', () => {
  const full = (count: number, length: number) =>
    Array.from({ length: count }, (_, index) => `"${String(index).padStart(length, 'x')}"`);

  test('of 400 values is reported in the words of Route 53 and stays unchanged', async () => {
    const world = zones();
    world.hostedZones.put('Z1', name, full(399, 5));
    const refused = present(world);
    await expect(refused).rejects.toThrow(RecordSetRefusedError);
    await expect(refused).rejects.toThrow(/_acme-challenge\.example\.com.* in hosted zone Z1\. .*400/);
    expect(world.hostedZones.get('Z1', name)?.values).toEqual(full(399, 5));
  });

  test('of 32,000 characters in a batch is reported and stays unchanged', async () => {
    const world = zones();
    world.hostedZones.put('Z1', name, full(390, 43));
    await expect(present(world)).rejects.toThrow(/32000/);
    expect(world.hostedZones.get('Z1', name)?.values).toEqual(full(390, 43));
  });
});

test('throws ThrottledError for the workflow to retry', async () => {
  const world = zones();
  world.calls.answer('hostedZones.change', throttledError('PriorRequestNotComplete'));
  await expect(present(world)).rejects.toThrow(ThrottledError);
  await present(world);
  expectPresented(world);
});

test('can be interrupted after any call and run again', async () => {
  await interruptedAfterEachCall(zones, present, (world, _, last) => expectPresented(world, last));
});

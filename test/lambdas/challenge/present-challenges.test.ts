import { expect, test } from 'vitest';
import { presentChallenges } from '../../../lambdas/challenge/present-challenges.ts';
import type { TxtValue } from '../../../lambdas/rules/contract.ts';
import { dyingAfterEachCall } from '../../fakes/recorder.ts';
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
  world.hostedZones.put('Z1', name, ['"foreign"'], { ttl: 3600 });
  return world;
}

const present = ({ ports }: World) => presentChallenges({ ...run, records }, ports);

function expectPresented(world: World, last?: string): void {
  expect(world.hostedZones.get('Z1', name), last).toMatchObject({
    ttl: 3600,
    values: ['"foreign"', '"apex"', '"wildcard"'],
  });
  expect(world.hostedZones.get('Z1', '_acme-challenge.www.example.com')?.values, last).toEqual(['"www"']);
  expect(world.hostedZones.get('Z2', '_acme-challenge.example.net')?.values, last).toEqual(['"net"']);
}

test('writes every value, beside what is there, in one change a zone', async () => {
  const world = zones();
  const { changes } = await present(world);
  expectPresented(world);
  expect(changes.map(({ hostedZoneId }) => hostedZoneId)).toEqual(['Z1', 'Z2']);
});

test('a set of ours alone is forgotten by resolvers in seconds', async () => {
  const world = zones();
  await present(world);
  expect(world.hostedZones.get('Z2', '_acme-challenge.example.net')?.ttl).toBeLessThanOrEqual(60);
});

test('a value that two identifiers share is written once', async () => {
  const world = zones();
  const shared = { hostedZoneId: 'Z2', name: '_acme-challenge.example.net', value: 'same' };
  await presentChallenges({ ...run, records: [shared, shared] }, world.ports);
  expect(world.hostedZones.get('Z2', shared.name)?.values).toEqual(['"same"']);
});

test('nothing to prove changes nothing', async () => {
  const world = zones();
  expect(await presentChallenges({ ...run, records: [] }, world.ports)).toEqual({ changes: [] });
  expect(world.calls.names()).toEqual([]);
});

test('run twice, the second changes nothing', async () => {
  const world = zones();
  await present(world);
  expect(await present(world)).toEqual({ changes: [] });
  expectPresented(world);
});

test('it may die after any call', async () => {
  await dyingAfterEachCall(zones, present, (world, _, last) => expectPresented(world, last));
});

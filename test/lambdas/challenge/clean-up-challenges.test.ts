import { expect, test } from 'vitest';
import { cleanUpChallenges } from '../../../lambdas/challenge/clean-up-challenges.ts';
import type { TxtValue } from '../../../lambdas/domain/contract/certificate-facts.ts';
import { RecordSetContentionError, ThrottledError } from '../../../lambdas/domain/contract/errors.ts';
import { deniedError, throttledError } from '../../fakes/aws-errors.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const name = '_acme-challenge.example.com';
const apex: TxtValue = { hostedZoneId: 'Z1', name, value: 'apex' };
const www: TxtValue = { hostedZoneId: 'Z1', name: '_acme-challenge.www.example.com', value: 'www' };
const net: TxtValue = { hostedZoneId: 'Z2', name: '_acme-challenge.example.net', value: 'net' };
const records = [apex, www, net];

function presented(): World {
  const world = createWorld();
  world.hostedZones.addZone('Z1');
  world.hostedZones.addZone('Z2');
  world.hostedZones.put('Z1', name, ['"foreign"', '"apex"'], { ttl: 3600 });
  world.hostedZones.put('Z1', www.name, ['"www"']);
  world.hostedZones.put('Z2', net.name, ['"net"']);
  return world;
}

const clean = ({ ports }: World) => cleanUpChallenges({ ...run, records }, ports);

function expectClean(world: World, last?: string): void {
  expect(world.hostedZones.all('Z1'), last).toEqual([
    { name: `${name}.`, ttl: 3600, values: ['"foreign"'], unsuitable: null },
  ]);
  expect(world.hostedZones.all('Z2'), last).toEqual([]);
}

test('takes out our values and leaves what others have', async () => {
  const world = presented();
  expect(await clean(world)).toEqual({ removed: records });
  expectClean(world);
});

test('a value that was never written, or that somebody removed, is gone too', async () => {
  const world = presented();
  world.hostedZones.put('Z1', name, ['"foreign"'], { ttl: 3600 });
  world.hostedZones.put('Z2', net.name, []);
  expect(await clean(world)).toEqual({ removed: records });
  expectClean(world);
});

test('nothing to remove needs no call', async () => {
  const world = presented();
  expect(await cleanUpChallenges({ ...run, records: [] }, world.ports)).toEqual({ removed: [] });
  expect(world.calls.names()).toEqual([]);
});

test('one zone that cannot be cleaned is logged, and the others are', async () => {
  const world = presented();
  world.calls.answer('hostedZones.change', deniedError('route53:ChangeResourceRecordSets on Z1'));
  expect(await clean(world)).toEqual({ removed: [net] });
  expect(world.log.messages('error')).toEqual(['TXT values stay in hosted zone Z1 until the next run']);
  expect(world.hostedZones.all('Z2')).toEqual([]);
  expect(await clean(world)).toEqual({ removed: records });
});

test('a zone that is gone is no reason to fail', async () => {
  const world = presented();
  const elsewhere = { hostedZoneId: 'Z9', name: '_acme-challenge.example.org', value: 'org' };
  const left = [elsewhere, net];
  expect(await cleanUpChallenges({ ...run, records: left }, world.ports)).toEqual({ removed: left });
  expect(world.hostedZones.all('Z2')).toEqual([]);
});

test('a zone deleted since the deploy took its values with it', async () => {
  const world = presented();
  world.hostedZones.removeZone('Z1');
  expect(await clean(world)).toEqual({ removed: records });
  expect(world.log.messages('error')).toEqual([]);
});

test('a role that cannot be assumed any more does not stop the other zones, and what is left is told', async () => {
  const world = presented();
  const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
  world.hostedZones.addZone('Z3', [], role.arn);
  const theirs = { hostedZoneId: 'Z3', role, name: '_acme-challenge.example.org', value: 'org' };
  world.hostedZones.put('Z3', theirs.name, ['"org"']);
  world.hostedZones.refusedRoles.add(role.arn);
  const all = [theirs, ...records];
  expect(await cleanUpChallenges({ ...run, records: all }, world.ports)).toEqual({ removed: records });
  expectClean(world);
  expect(world.log.messages('error')).toEqual(['TXT values stay in hosted zone Z3 until the next run']);

  world.hostedZones.refusedRoles.clear();
  expect(await cleanUpChallenges({ ...run, records: [theirs] }, world.ports)).toEqual({ removed: [theirs] });
  expect(world.hostedZones.all('Z3')).toEqual([]);
});

test('a name that somebody made a CNAME holds nothing of ours, and its neighbours are cleaned', async () => {
  const world = presented();
  world.hostedZones.put('Z1', www.name, [], { unsuitable: 'it is a CNAME to elsewhere.example.net' });
  expect(await clean(world)).toEqual({ removed: records });
  expect(world.hostedZones.get('Z1', name)?.values).toEqual(['"foreign"']);
  expect(world.hostedZones.get('Z1', www.name)?.unsuitable).toBe('it is a CNAME to elsewhere.example.net');
});

test('a name that somebody delegated since is not struck off while our value stands there: it is taken out', async () => {
  const world = presented();
  const { values = [] } = world.hostedZones.get('Z1', name) ?? {};
  const unsuitable = 'the name is delegated to other name servers';
  world.hostedZones.put('Z1', name, values, { unsuitable });
  expect(await clean(world)).toEqual({ removed: records });
  expect(world.hostedZones.get('Z1', name)).toMatchObject({ values: ['"foreign"'], unsuitable });
});

test('throttling is left to the workflow, which runs the step again once the other zones are clean', async () => {
  const world = presented();
  world.calls.answer('hostedZones.change', throttledError('PriorRequestNotComplete'));
  await expect(clean(world)).rejects.toThrow(ThrottledError);
  expect(world.hostedZones.all('Z2')).toEqual([]);
  expect(await clean(world)).toEqual({ removed: records });
  expectClean(world);
});

test('a record set that others keep changing is left to the workflow too, after the other zones', async () => {
  const world = presented();
  world.calls.answer(
    'hostedZones.change',
    new RecordSetContentionError({ what: 'Others were faster.', zone: 'Z1', recordNames: [] }),
  );
  await expect(clean(world)).rejects.toThrow(RecordSetContentionError);
  expect(world.hostedZones.all('Z2')).toEqual([]);
  expect(await clean(world)).toEqual({ removed: records });
  expectClean(world);
});

test('run twice is run once', async () => {
  const world = presented();
  const first = await clean(world);
  expect(await clean(world)).toEqual(first);
  expectClean(world);
});

test('it may die after any call', async () => {
  await interruptedAfterEachCall(presented, clean, (world, { removed }, last) => {
    expect(removed, last).toEqual(records);
    expectClean(world, last);
  });
});

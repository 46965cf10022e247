import { describe, expect, test } from 'vitest';
import { checkPropagation } from '../../../lambdas/challenge/check-propagation.ts';
import type { TxtValue } from '../../../lambdas/domain/contract/certificate-facts.ts';
import {
  PropagationTimeoutError,
  RoleNotAssumedError,
  ThrottledError,
} from '../../../lambdas/domain/contract/errors.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const records: readonly TxtValue[] = [
  { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'apex' },
  { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'wildcard' },
  { hostedZoneId: 'Z2', name: '_acme-challenge.example.net', value: 'net' },
];
const servers = ['ns1.test', 'ns2.test', 'ns3.test'] as const;
const zoneServers = { Z1: servers.slice(0, 2), Z2: servers.slice(2) };

/** Creates a world in which the values are written and every server answers with them. */
async function presented({ propagation = 'at once' as 'at once' | 'later' } = {}) {
  const world = createWorld();
  const { hostedZones, nameServers } = world;
  hostedZones.propagation = propagation;
  hostedZones.addZone('Z1', servers.slice(0, 2));
  hostedZones.addZone('Z2', servers.slice(2));
  const changes = [];
  for (const { hostedZoneId, name, value } of records) {
    const before = hostedZones.get(hostedZoneId, name);
    const values = [...(before?.values ?? []), `"${value}"`];
    const result = await hostedZones.change(hostedZoneId, [
      { name, before, after: { name, ttl: 10, values, unsuitable: null } },
    ]);
    if ('id' in result) changes.push({ hostedZoneId, id: result.id });
  }
  nameServers.serve('ns1.test', (name) => hostedZones.answers('Z1', name));
  nameServers.serve('ns2.test', (name) => hostedZones.answers('Z1', name));
  nameServers.serve('ns3.test', (name) => hostedZones.answers('Z2', name));
  return { ...world, changes };
}

const check = ({ ports, changes }: Awaited<ReturnType<typeof presented>>, waited = 0) =>
  checkPropagation({ ...run, records, changes, zoneServers, waited }, ports);

const asked = ({ calls }: World): unknown[] =>
  calls.made.filter(({ name }) => name === 'nameServers.txt').map(({ args }) => args[0]);

test('reports propagation when every server of every zone answers with the values', async () => {
  const world = await presented();
  expect(await check(world)).toEqual({ propagated: true, wait: 0, waitingFor: '' });
  expect(new Set(asked(world))).toEqual(new Set(servers));
  // Check zones has read the name servers.
  expect(new Set(world.calls.names('hostedZones.'))).toEqual(new Set(['hostedZones.pendingChanges']));
});

test('queries no server before Route 53 reports INSYNC', async () => {
  const world = await presented({ propagation: 'later' });
  expect(await check(world)).toEqual({
    propagated: false,
    wait: 1,
    waitingFor: 'INSYNC of change C1 in hosted zone Z1',
  });
  expect(asked(world)).toEqual([]);
  world.hostedZones.settle();
  expect(await check(world, 1)).toMatchObject({ propagated: true });
});

describe('reports the server and the record that it waits for', () => {
  test.each([
    ['has nothing', [], 'apex'],
    ['has one of the two values', ['apex', 'other'], 'wildcard'],
    ['has them in another case', ['APEX', 'wildcard'], 'apex'],
  ])('when one server %s', async (_, answers, missing) => {
    const world = await presented();
    world.nameServers.serve('ns2.test', () => answers);
    expect(await check(world, 6)).toEqual({
      propagated: false,
      wait: 10,
      waitingFor: `${missing} at TXT _acme-challenge.example.com on name server ns2.test`,
    });
  });

  test('when the last zone does not have its value yet', async () => {
    const world = await presented();
    world.nameServers.serve('ns3.test', () => []);
    expect((await check(world)).waitingFor).toBe('net at TXT _acme-challenge.example.net on name server ns3.test');
  });
});

describe('after 15 minutes', () => {
  test('fails with the server and the record, so that the challenge is not answered', async () => {
    const world = await presented();
    world.nameServers.serve('ns2.test', () => []);
    expect(await check(world, 890)).toMatchObject({ propagated: false, wait: 10 });
    const failed = check(world, 900);
    await expect(failed).rejects.toThrow(PropagationTimeoutError);
    await expect(failed).rejects.toThrow('TXT _acme-challenge.example.com on name server ns2.test');
    await expect(failed).rejects.toMatchObject({ fields: { certificate: 'www', zone: 'Z1', servers: ['ns2.test'] } });
  });

  test('succeeds when the last check finds the value', async () => {
    expect(await check(await presented(), 900)).toMatchObject({ propagated: true });
  });
});

test('polls a change by its id, fails after 15 minutes without INSYNC, and never submits the change again', async () => {
  const world = await presented({ propagation: 'later' });
  const before = world.hostedZones.applied.length;
  for (const waited of [0, 300, 600, 899]) expect(await check(world, waited)).toMatchObject({ propagated: false });
  await expect(check(world, 900)).rejects.toThrow(PropagationTimeoutError);
  await expect(check(world, 900)).rejects.toThrow('INSYNC of change C1 in hosted zone Z1');
  expect(world.hostedZones.applied).toHaveLength(before);
  expect(new Set(world.calls.names())).toEqual(new Set(['hostedZones.pendingChanges']));
});

test('throws an error of Route 53 unchanged', async () => {
  const world = await presented();
  world.calls.answer('hostedZones.pendingChanges', throttledError());
  await expect(check(world)).rejects.toThrow(ThrottledError);
});

test('reads a change of another account with the role of its zone', async () => {
  const world = await presented();
  const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
  world.hostedZones.addZone('Z3', ['ns1.test'], role.arn);
  world.nameServers.serve('ns1.test', () => ['org']);
  const inOtherAccount = { hostedZoneId: 'Z3', role, name: '_acme-challenge.example.org', value: 'org' };
  const changes = [{ hostedZoneId: 'Z3', role, id: world.changes[0]?.id ?? '' }];
  const input = { ...run, records: [inOtherAccount], changes, zoneServers: { Z3: ['ns1.test'] }, waited: 0 };
  expect(await checkPropagation(input, world.ports)).toMatchObject({ propagated: true });
  world.hostedZones.refusedRoles.add(role.arn);
  await expect(checkPropagation(input, world.ports)).rejects.toThrow(RoleNotAssumedError);
});

test('fails if the name servers of a zone are not known, because it could not find a missing value', async () => {
  const world = await presented();
  const input = { ...run, records, changes: world.changes, zoneServers: { Z1: ['ns1.test'] }, waited: 0 };
  await expect(checkPropagation(input, world.ports)).rejects.toThrow('no name servers of hosted zone Z2');
});

test('queries values that needed no change too', async () => {
  const world = await presented();
  world.nameServers.serve('ns1.test', () => []);
  expect(await check({ ...world, changes: [] })).toMatchObject({ propagated: false });
});

test('changes nothing when it runs twice', async () => {
  const world = await presented();
  const before = [...world.hostedZones.applied];
  const first = await check(world);
  expect(await check(world)).toEqual(first);
  expect(world.hostedZones.applied).toEqual(before);
});

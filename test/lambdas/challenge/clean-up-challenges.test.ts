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
  world.hostedZones.put('Z1', name, ['"other"', '"apex"'], { ttl: 3600 });
  world.hostedZones.put('Z1', www.name, ['"www"']);
  world.hostedZones.put('Z2', net.name, ['"net"']);
  return world;
}

const clean = ({ ports }: World) => cleanUpChallenges({ ...run, records }, ports);

function expectClean(world: World, last?: string): void {
  expect(world.hostedZones.all('Z1'), last).toEqual([
    { name: `${name}.`, ttl: 3600, values: ['"other"'], unsuitable: null },
  ]);
  expect(world.hostedZones.all('Z2'), last).toEqual([]);
}

test('removes the values of this stack and keeps those of other writers', async () => {
  const world = presented();
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expectClean(world);
});

test('counts a value as removed that was never written or that another process removed', async () => {
  const world = presented();
  world.hostedZones.put('Z1', name, ['"other"'], { ttl: 3600 });
  world.hostedZones.put('Z2', net.name, []);
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expectClean(world);
});

test('makes no call without values to remove', async () => {
  const world = presented();
  expect(await cleanUpChallenges({ ...run, records: [] }, world.ports)).toEqual({ removed: [], failed: [] });
  expect(world.calls.names()).toEqual([]);
});

test('returns and logs the values of a zone that cannot be cleaned, and cleans the others', async () => {
  const world = presented();
  world.calls.answer('hostedZones.change', deniedError('route53:ChangeResourceRecordSets on Z1'));
  const reason = expect.stringContaining('route53:ChangeResourceRecordSets on Z1');
  expect(await clean(world)).toEqual({ removed: [net], failed: [apex, www].map((each) => ({ ...each, reason })) });
  expect(world.log.messages('error')).toEqual([expect.stringContaining('hosted zone Z1')]);
  expect(world.hostedZones.all('Z2')).toEqual([]);
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
});

test('counts the values of a zone that never existed as removed', async () => {
  const world = presented();
  const elsewhere = { hostedZoneId: 'Z9', name: '_acme-challenge.example.org', value: 'org' };
  const left = [elsewhere, net];
  expect(await cleanUpChallenges({ ...run, records: left }, world.ports)).toEqual({ removed: left, failed: [] });
  expect(world.hostedZones.all('Z2')).toEqual([]);
});

test('counts the values of a zone that was deleted after the deployment as removed', async () => {
  const world = presented();
  world.hostedZones.removeZone('Z1');
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expect(world.log.messages('error')).toEqual([]);
});

test('cleans the other zones when a role cannot be assumed, and logs the zone of that role', async () => {
  const world = presented();
  const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
  world.hostedZones.addZone('Z3', [], role.arn);
  const inOtherAccount = { hostedZoneId: 'Z3', role, name: '_acme-challenge.example.org', value: 'org' };
  world.hostedZones.put('Z3', inOtherAccount.name, ['"org"']);
  world.hostedZones.refusedRoles.add(role.arn);
  const all = [inOtherAccount, ...records];
  const { role: _, ...value } = inOtherAccount;
  expect(await cleanUpChallenges({ ...run, records: all }, world.ports)).toEqual({
    removed: records,
    failed: [{ ...value, reason: expect.stringContaining(role.arn) }],
  });
  expectClean(world);
  expect(world.log.messages('error')).toEqual([expect.stringContaining('hosted zone Z3')]);

  world.hostedZones.refusedRoles.clear();
  expect(await cleanUpChallenges({ ...run, records: [inOtherAccount] }, world.ports)).toEqual({
    removed: [inOtherAccount],
    failed: [],
  });
  expect(world.hostedZones.all('Z3')).toEqual([]);
});

test('counts a value as removed whose name is now a CNAME, and cleans the other names', async () => {
  const world = presented();
  world.hostedZones.put('Z1', www.name, [], { unsuitable: 'it is a CNAME to elsewhere.example.net' });
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expect(world.hostedZones.get('Z1', name)?.values).toEqual(['"other"']);
  expect(world.hostedZones.get('Z1', www.name)?.unsuitable).toBe('it is a CNAME to elsewhere.example.net');
});

test('removes the value from a name that is now delegated to other servers', async () => {
  const world = presented();
  const { values = [] } = world.hostedZones.get('Z1', name) ?? {};
  const unsuitable = 'the name is delegated to other name servers';
  world.hostedZones.put('Z1', name, values, { unsuitable });
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expect(world.hostedZones.get('Z1', name)).toMatchObject({ values: ['"other"'], unsuitable });
});

test('cleans the other zones before it throws ThrottledError for the workflow to retry', async () => {
  const world = presented();
  world.calls.answer('hostedZones.change', throttledError('PriorRequestNotComplete'));
  await expect(clean(world)).rejects.toThrow(ThrottledError);
  expect(world.hostedZones.all('Z2')).toEqual([]);
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expectClean(world);
});

test('cleans the other zones before it throws RecordSetContentionError for the workflow to retry', async () => {
  const world = presented();
  world.calls.answer(
    'hostedZones.change',
    new RecordSetContentionError({ what: 'Other writers keep changing the set.', zone: 'Z1', recordNames: [] }),
  );
  await expect(clean(world)).rejects.toThrow(RecordSetContentionError);
  expect(world.hostedZones.all('Z2')).toEqual([]);
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expectClean(world);
});

test('logs values of challenges that no ledger item lists, and keeps them', async () => {
  const world = presented();
  const lost = 'a'.repeat(43);
  world.hostedZones.put('Z1', name, [`"${lost}"`, '"apex"', '"v=spf1 -all"']);
  expect(await clean(world)).toEqual({ removed: records, failed: [] });
  expect(world.log.messages('warn')).toEqual([expect.stringContaining(`1 TXT values at ${name}`)]);
  expect(world.log.messages('warn').join()).toContain(lost);
  expect(world.hostedZones.get('Z1', name)?.values).toEqual([`"${lost}"`, '"v=spf1 -all"']);
});

test('returns 25 values of at most 300 characters of reason, so that the event is not too large', async () => {
  const world = presented();
  const many = Array.from({ length: 100 }, (_, index) => ({ ...net, name: `_acme-challenge.h${index}.example.net` }));
  world.hostedZones.put('Z2', many[0]?.name ?? '', ['"net"']);
  world.calls.answer('hostedZones.change', deniedError('x'.repeat(5000)));
  const { removed, failed } = await cleanUpChallenges({ ...run, records: many }, world.ports);
  expect({ removed: removed.length, failed: failed.length }).toEqual({ removed: 0, failed: 25 });
  for (const { reason } of failed) expect(reason.length).toBeLessThanOrEqual(300);
});

test('returns the same when it runs twice', async () => {
  const world = presented();
  const first = await clean(world);
  expect(await clean(world)).toEqual(first);
  expectClean(world);
});

test('can be interrupted after any call and run again', async () => {
  await interruptedAfterEachCall(presented, clean, (world, { removed }, last) => {
    expect(removed, last).toEqual(records);
    expectClean(world, last);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { beforeAll, describe, expect, test } from 'vitest';
import { createHostedZone, txtValues } from '../../local/deploy.ts';
import type { LocalEnvironment } from '../../local/environment.ts';
import { sharedEnvironment } from './shared-environment.ts';
import { allow, credentialsOf } from './stack.ts';

let local: LocalEnvironment;
beforeAll(async () => {
  local = await sharedEnvironment();
});

const change = (
  Action: 'CREATE' | 'DELETE' | 'UPSERT',
  Name: string,
  Type: 'TXT' | 'CNAME',
  ...values: string[]
): Change => ({
  Action,
  ResourceRecordSet: { Name, Type, TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) },
});

let zone: string;
const send = (client: Route53Client, ...Changes: Change[]) =>
  client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }));
const root = () => new Route53Client(local.clientConfig);
beforeAll(async () => {
  zone = await createHostedZone(local, 'example.test');
});

test('the name server of a hosted zone is the authoritative view of the DNS server', async () => {
  const { DelegationSet } = await root().send(new GetHostedZoneCommand({ Id: zone }));
  expect(DelegationSet?.NameServers).toEqual([local.dns.addresses.authoritative]);
});

const quoted = (text: string) => `"${text}"`;
const many = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => quoted(String(index).padEnd(length, 'x')));

test.each<[string, RegExp, Change[]]>([
  ['a name outside the zone', /not permitted in zone/, [change('CREATE', '_acme-challenge.example.org', 'TXT', '"a"')]],
  ['1,001 records', /1000 exceeded/, [change('CREATE', 'a.example.test', 'TXT', ...many(1001, 4))]],
  ['401 values of one set', /400 values/, [change('CREATE', 'a.example.test', 'TXT', ...many(401, 4))]],
  ['501 records to upsert', /1000 exceeded/, [change('UPSERT', 'a.example.test', 'TXT', ...many(501, 4))]],
  ['32,001 characters', /32000 exceeded/, [change('CREATE', 'a.example.test', 'TXT', ...many(161, 200))]],
  ['a value without quotes', /quotation marks/, [change('CREATE', 'a.example.test', 'TXT', 'a')]],
  [
    'a string of 256 characters',
    /quotation marks/,
    [change('CREATE', 'a.example.test', 'TXT', quoted('x'.repeat(256)))],
  ],
  ['one value twice', /Duplicate/, [change('CREATE', 'a.example.test', 'TXT', '"a"', '"a"')]],
  [
    'a CNAME beside another set',
    /conflicting RRSet/,
    [change('CREATE', 'a.example.test', 'TXT', '"a"'), change('CREATE', 'a.example.test', 'CNAME', 'b.example.test')],
  ],
])('%s is rejected, and no change of the batch is applied', async (_, sentence, changes) => {
  const before = await txtValues(local, 'example.test');
  const refused = send(root(), change('CREATE', 'first.example.test', 'TXT', '"a"'), ...changes);
  await expect(refused).rejects.toMatchObject({
    name: 'InvalidChangeBatch',
    message: expect.stringMatching(sentence),
  });
  expect(await txtValues(local, 'example.test')).toEqual(before);
});

describe('at a name that has a record set,', () => {
  const Name = 'taken.example.test';
  const create = (set: Partial<ResourceRecordSet>): Change => ({
    Action: 'CREATE',
    ResourceRecordSet: { Name, Type: 'TXT', ...set },
  });
  const simple = { TTL: 60, ResourceRecords: [{ Value: '"a"' }] };
  const weighted = (SetIdentifier: string) => ({ ...simple, SetIdentifier, Weight: 1 });
  const alias = (DNSName: string) => ({
    AliasTarget: { HostedZoneId: zone, DNSName, EvaluateTargetHealth: false },
  });
  const target = () => create({ ...simple, Name: 'target.example.test' });

  test.each<[string, RegExp, () => [Change[], Change]]>([
    [
      'a set without a routing policy is rejected beside a set with one',
      /other RRSets exist/,
      () => [[create(weighted('blue'))], create(simple)],
    ],
    [
      'a set with a routing policy is rejected beside a set without one',
      /other RRSets exist/,
      () => [[create(simple)], create(weighted('blue'))],
    ],
    [
      'a set of values is rejected beside an alias',
      /already exists/,
      () => [[target(), create(alias('target.example.test'))], create(simple)],
    ],
    [
      'an alias whose target has another type is rejected',
      /target was not found/,
      () => [[target()], create({ ...alias('target.example.test'), Type: 'A' })],
    ],
  ])('%s', async (_, sentence, given) => {
    const [existing, refused] = given();
    await send(root(), ...existing);
    const undo = existing.map((change): Change => ({ ...change, Action: 'DELETE' }));
    try {
      await expect(send(root(), refused)).rejects.toMatchObject({
        name: 'InvalidChangeBatch',
        message: expect.stringMatching(sentence),
      });
    } finally {
      await send(root(), ...undo);
    }
  });

  test('a second set with a routing policy is accepted', async () => {
    const both = [create(weighted('blue')), create(weighted('green'))];
    await send(root(), ...both);
    await send(root(), ...both.map((change): Change => ({ ...change, Action: 'DELETE' })));
  });
});

test('names are stored in lower case', async () => {
  await send(root(), change('CREATE', '_ACME-Challenge.Upper.example.test', 'TXT', '"v"'));
  expect(await txtValues(local, 'example.test')).toMatchObject({ '_acme-challenge.upper.example.test': ['v'] });
  await send(root(), change('DELETE', '_acme-challenge.upper.example.test', 'TXT', '"v"'));
});

test('the condition keys of record names, types and actions are evaluated', async () => {
  const statement = {
    Effect: 'Allow',
    Action: 'route53:ChangeResourceRecordSets',
    Resource: `arn:aws:route53:::hostedzone/${zone}`,
    Condition: {
      'ForAllValues:StringLike': {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['_acme-challenge.*'],
      },
      'ForAllValues:StringEquals': {
        'route53:ChangeResourceRecordSetsRecordTypes': ['TXT'],
        'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'],
      },
      Null: { 'route53:ChangeResourceRecordSetsActions': 'false' },
    },
  };
  const writer = new Route53Client({ ...local.clientConfig, credentials: await credentialsOf(local, statement) });
  const name = '_acme-challenge.www.example.test';

  await send(writer, change('CREATE', name.toUpperCase(), 'TXT', '"v"'));
  await send(writer, change('DELETE', name, 'TXT', '"v"'));
  const denied = { name: 'AccessDenied' };
  await expect(send(writer, change('UPSERT', name, 'TXT', '"v"'))).rejects.toMatchObject(denied);
  await expect(send(writer, change('CREATE', 'www.example.test', 'TXT', '"v"'))).rejects.toMatchObject(denied);
  await expect(send(writer, change('CREATE', name, 'CNAME', 'b.example.test'))).rejects.toMatchObject(denied);
  const mixed = [change('CREATE', name, 'TXT', '"v"'), change('CREATE', 'www.example.test', 'TXT', '"v"')];
  await expect(send(writer, ...mixed)).rejects.toMatchObject(denied);
  expect(await local.aws.apiCalls()).toContainEqual(
    expect.objectContaining({
      operation: 'ChangeResourceRecordSets',
      status: 403,
      caller: expect.stringContaining('assumed-role/Caller'),
    }),
  );
});

test('the status of a change can be read only with a permission for the change', async () => {
  const made = await send(root(), change('CREATE', '_acme-challenge.seen.example.test', 'TXT', '"v"'));
  const readStatus = async (resource: string) => {
    const credentials = await credentialsOf(local, allow('route53:GetChange', resource));
    return new Route53Client({ ...local.clientConfig, credentials }).send(
      new GetChangeCommand({ Id: made.ChangeInfo?.Id ?? '' }),
    );
  };
  expect((await readStatus('arn:aws:route53:::change/*')).ChangeInfo?.Status).toMatch(/^(PENDING|INSYNC)$/);
  await expect(readStatus(`arn:aws:route53:::hostedzone/${zone}`)).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('a change is INSYNC after a second, although its status was not read before', async () => {
  const { ChangeInfo } = await send(root(), change('CREATE', '_acme-challenge.late.example.test', 'TXT', '"v"'));
  await sleep(1000);
  const seen = await root().send(new GetChangeCommand({ Id: ChangeInfo?.Id ?? '' }));
  expect([ChangeInfo?.Status, seen.ChangeInfo?.Status]).toEqual(['PENDING', 'INSYNC']);
});

import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  InvalidChangeBatch,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createHostedZones } from '../../../../../lambdas/adapters/aws/route-53/hosted-zones.ts';
import { awsError } from '../aws-error.ts';

// Tests for rare replies of Route 53. `hosted-zones-behaviour.ts` tests the contract of the port.
const zone = 'Z0123456789';
const name = '_acme-challenge.example.com';
const route53 = mockClient(Route53Client);
const hostedZones = createHostedZones({ client: new Route53Client({ region: 'us-east-1' }) });

const plain: ResourceRecordSet = {
  Name: `${name}.`,
  Type: 'TXT',
  TTL: 60,
  ResourceRecords: [{ Value: '"one"' }, { Value: '"t" "wo"' }],
};

beforeEach(() => {
  route53.reset();
});

describe('reading a TXT set', () => {
  test('reads further pages while the list is at the requested name', async () => {
    const next = { NextRecordName: `${name}.`, NextRecordType: 'A', NextRecordIdentifier: 'i-100' } as const;
    route53
      .on(ListResourceRecordSetsCommand)
      .resolvesOnce({ ResourceRecordSets: [{ ...plain, Type: 'A' }], IsTruncated: true, MaxItems: 100, ...next })
      .resolvesOnce({
        ResourceRecordSets: [plain],
        IsTruncated: true,
        MaxItems: 100,
        NextRecordName: 'www.example.com.',
      });
    expect(await hostedZones.readTxt(zone, name)).toMatchObject({ ttl: 60 });
    expect(route53).toHaveReceivedNthCommandWith(ListResourceRecordSetsCommand, 2, {
      StartRecordName: `${name}.`,
      StartRecordType: 'A',
      StartRecordIdentifier: 'i-100',
    });
    expect(route53).toHaveReceivedCommandTimes(ListResourceRecordSetsCommand, 2);
  });

  test('fails after ten pages of one name', async () => {
    route53.on(ListResourceRecordSetsCommand).resolves({
      ResourceRecordSets: [{ ...plain, Type: 'A' }],
      IsTruncated: true,
      MaxItems: 100,
      NextRecordName: `${name}.`,
      NextRecordType: 'A',
    });
    await expect(hostedZones.readTxt(zone, name)).rejects.toThrow(new RegExp(`1,?000 record sets at ${name}`));
    expect(route53).toHaveReceivedCommandTimes(ListResourceRecordSetsCommand, 10);
  });

  test('names a zone that does not exist, and the record, because the id of the zone may not be written in the config', async () => {
    route53.on(ListResourceRecordSetsCommand).rejects(awsError('NoSuchHostedZone'));
    await expect(hostedZones.readTxt(zone, name)).rejects.toMatchObject({
      name: 'ZoneNotFoundError',
      message: expect.stringMatching(`(?=.*${zone}).*does not exist.*${name}`),
      fields: { zone },
    });
  });

  test('reports throttling by Route 53', async () => {
    route53.on(ListResourceRecordSetsCommand).rejects(awsError('Throttling'));
    await expect(hostedZones.readTxt(zone, name)).rejects.toMatchObject({ name: 'ThrottledError' });
  });
});

describe('a change of record sets', () => {
  const before = { name: `${name}.`, ttl: 300, values: ['"other"'], unsuitable: null };
  const after = { ...before, values: ['"other"', '"own"'] };

  test.each([
    ['all its messages', ['Tried to delete a set that differs.', 'Tried to create a set that exists.']],
    ['its message', undefined],
  ])('that Route 53 rejects is returned with %s', async (_, messages) => {
    const error = new InvalidChangeBatch({
      message: 'Tried to delete a set that differs. Tried to create a set that exists.',
      $metadata: {},
      ...(messages ? { messages } : {}),
    });
    route53.on(ChangeResourceRecordSetsCommand).rejects(error);
    expect(await hostedZones.change(zone, [{ name, before, after }])).toEqual({
      refused: 'Tried to delete a set that differs. Tried to create a set that exists.',
    });
  });

  test.each([
    ['one message', 'Tried to create a set that exists.'],
    ['several messages', ['Tried to create a set', 'that exists.']],
  ])('that Route 53 rejects in an XML form that the SDK does not parse is returned with %s', async (_, Message) => {
    const error = Object.assign(awsError('Unknown', 'UnknownError'), { Messages: { Message } });
    route53.on(ChangeResourceRecordSetsCommand).rejects(error);
    expect(await hostedZones.change(zone, [{ name, before, after }])).toEqual({
      refused: 'Tried to create a set that exists.',
    });
  });

  const change = (at: string) => ({ name: at, before: null, after: { ...after, name: at } });

  test('that is denied to a role of another account is reported with the records to allow there', async () => {
    const role = 'arn:aws:iam::444455556666:role/challenges';
    const inOtherAccount = createHostedZones({ client: new Route53Client({ region: 'us-east-1' }), role });
    route53.on(ChangeResourceRecordSetsCommand).rejects(awsError('AccessDenied', 'It is not allowed.', 403));
    const denied = inOtherAccount.change(zone, [
      { name: `${name}.`, before, after },
      change('_acme-challenge.b.example.com'),
    ]);
    await expect(denied).rejects.toThrow(
      new RegExp(
        `route53:ChangeResourceRecordSets on hosted zone ${zone} .*${name}, _acme-challenge\\.b\\.example\\.com.*${role}`,
      ),
    );
    await expect(denied).rejects.toThrow(/`names` of the ChallengeRole/);
    route53.on(GetHostedZoneCommand).rejects(awsError('AccessDenied', 'It is not allowed.', 403));
    await expect(inOtherAccount.nameServers(zone)).rejects.not.toThrow('`names`');
  });

  test('that is denied to the role of the function is reported with at most five records and without a ChallengeRole', async () => {
    route53.on(ChangeResourceRecordSetsCommand).rejects(awsError('AccessDenied', 'It is not allowed.', 403));
    const denied = hostedZones.change(
      zone,
      Array.from({ length: 7 }, (_, index) => change(`_acme-challenge.${index}.example.com`)),
    );
    await expect(denied).rejects.toThrow('_acme-challenge.4.example.com and 2 more');
    await expect(denied).rejects.not.toThrow('ChallengeRole');
  });

  test('that conflicts with another change of the zone is reported as throttling', async () => {
    route53.on(ChangeResourceRecordSetsCommand).rejects(awsError('PriorRequestNotComplete'));
    await expect(hostedZones.change(zone, [{ name, before, after }])).rejects.toMatchObject({
      name: 'ThrottledError',
      message: expect.stringContaining(`route53:ChangeResourceRecordSets on hosted zone ${zone}`),
    });
  });
});

describe('pending changes', () => {
  test('are reported as an error if AWS denies the call', async () => {
    route53.on(GetChangeCommand).rejects(awsError('AccessDenied'));
    await expect(hostedZones.pendingChanges([{ hostedZoneId: zone, id: '/change/C1' }])).rejects.toThrow(
      'route53:GetChange on change /change/C1 in hosted zone Z0123456789',
    );
  });
});

describe('name servers', () => {
  test('of a hosted zone in another account are denied with the setting to configure', async () => {
    const message = 'User: arn:aws:sts::123456789012:assumed-role/a/b is not authorized to access this resource';
    route53.on(GetHostedZoneCommand).rejects(awsError('AccessDenied', message, 403));
    await expect(hostedZones.nameServers(zone)).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringMatching(/hosted zone Z0123456789 .*another account.*roleArn/),
    });
  });

  test('are rejected for a private zone, which a CA cannot see', async () => {
    route53.on(GetHostedZoneCommand).resolves({});
    await expect(hostedZones.nameServers(zone)).rejects.toMatchObject({
      name: 'ZoneNotFoundError',
      message: expect.stringContaining('private zone'),
    });
  });
});

import { GetChangeCommand, GetHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHostedZonesAs, type RoleCredentials } from '../../../../../lambdas/adapters/aws/sts/assumed-roles.ts';
import type { HostedZones, HostedZonesAs } from '../../../../../lambdas/domain/ports/hosted-zones.ts';
import { awsError } from '../aws-error.ts';

const zone = 'Z0123456789';
const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
const strict = { ...role, externalId: 'the-shop-0815' };
const user = 'User: arn:aws:sts::123456789012:assumed-role/challenge/challenge';
const refusal = `${user} is not authorized to perform: sts:AssumeRole on resource: ${role.arn}`;

const sts = mockClient(STSClient);
const route53 = mockClient(Route53Client);
/** The credential providers of the clients, in the order of their creation. */
let credentials: (() => Promise<RoleCredentials>)[];
let as: HostedZonesAs;
let warm: Map<string, HostedZones>;

beforeEach(() => {
  sts.reset();
  route53.reset();
  credentials = [];
  warm = new Map();
  as = createHostedZonesAs({
    sts: new STSClient({ region: 'eu-central-1' }),
    clientWith: (provider) => {
      credentials.push(provider);
      return new Route53Client({ region: 'us-east-1' });
    },
    warm,
    functionName: 'Perennial-CertificatesChallengeFunction0A1B2C3D-abcdefghijkl',
  });
  sts.on(AssumeRoleCommand).resolves({
    Credentials: {
      AccessKeyId: 'ASIA1',
      SecretAccessKey: 'secret',
      SessionToken: 'token',
      Expiration: new Date('2027-01-01T00:15:00Z'),
    },
  });
  route53.on(GetHostedZoneCommand).resolves({ DelegationSet: { NameServers: ['ns-1.awsdns-01.com'] } });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Calls Route 53 with the credentials of the role, which the client requests before it signs a call. */
const callWithRole = () => {
  route53.on(GetHostedZoneCommand).callsFake(async () => {
    await credentials[0]?.();
    return { DelegationSet: { NameServers: ['ns-1.awsdns-01.com'] } };
  });
  return as(strict).nameServers(zone);
};

describe('the credentials of a role', () => {
  test('are requested with its external id, for the shortest duration, in a session named after the function', async () => {
    as(strict);
    expect(await credentials[0]?.()).toEqual({
      accessKeyId: 'ASIA1',
      secretAccessKey: 'secret',
      sessionToken: 'token',
      expiration: new Date('2027-01-01T00:15:00Z'),
    });
    expect(sts).toHaveReceivedCommandExactlyOnceWith(AssumeRoleCommand, {
      RoleArn: role.arn,
      RoleSessionName: 'perennial-Perennial-CertificatesChallengeFunction0A1B2C3D-abcdef',
      DurationSeconds: 900,
      ExternalId: 'the-shop-0815',
    });
    expect('perennial-Perennial-CertificatesChallengeFunction0A1B2C3D-abcdef').toHaveLength(64);
  });

  test('are requested without an external id if none is configured', async () => {
    as(role);
    await credentials[0]?.();
    const [call] = sts.commandCalls(AssumeRoleCommand);
    expect(call?.args[0].input.ExternalId).toBeUndefined();
  });

  test('are requested by the first call, not before', async () => {
    expect(await as(role).nameServers(zone)).toEqual(['ns-1.awsdns-01.com']);
    expect(credentials).toHaveLength(1);
    expect(sts).not.toHaveReceivedCommand(AssumeRoleCommand);
  });

  test('are kept while the function is warm, for each role and external id', () => {
    expect(as(strict)).toBe(as({ ...strict }));
    expect(as(role)).not.toBe(as(strict));
    expect(as({ arn: `${role.arn}-2` })).not.toBe(as(role));
    expect(credentials).toHaveLength(3);
  });

  test('are requested once, and again five minutes before they expire', async () => {
    vi.useFakeTimers({ now: new Date('2027-01-01T00:00:00Z'), toFake: ['Date'] });
    const clients: Route53Client[] = [];
    const clientWith = (provider: () => Promise<RoleCredentials>) => {
      const client = new Route53Client({ region: 'us-east-1', credentials: provider });
      clients.push(client);
      return client;
    };
    createHostedZonesAs({ sts: new STSClient({ region: 'eu-central-1' }), clientWith, warm })(role);
    await clients[0]?.config.credentials();
    vi.setSystemTime(new Date('2027-01-01T00:09:00Z'));
    await clients[0]?.config.credentials();
    expect(sts).toHaveReceivedCommandTimes(AssumeRoleCommand, 1);
    vi.setSystemTime(new Date('2027-01-01T00:10:01Z'));
    await clients[0]?.config.credentials();
    expect(sts).toHaveReceivedCommandTimes(AssumeRoleCommand, 2);
  });

  test('are those of the function if no role is given', () => {
    expect(as()).toBeDefined();
    expect(credentials).toHaveLength(0);
  });

  test.each(['ExpiredToken', 'ExpiredTokenException', 'InvalidClientTokenId'])(
    'that Route 53 rejects with %s are requested again at the next attempt',
    async (name) => {
      route53.on(GetHostedZoneCommand).rejects(awsError(name));
      await expect(as(role).nameServers(zone)).rejects.toMatchObject({
        name: 'ThrottledError',
        message: expect.stringMatching(`${role.arn}.*expired`),
      });
      expect(warm.size).toBe(0);
      as(role);
      expect(credentials).toHaveLength(2);
    },
  );

  test('that STS returns without a key are rejected as unexpected', async () => {
    sts.on(AssumeRoleCommand).resolves({});
    await expect(callWithRole()).rejects.toMatchObject({ name: 'UnexpectedError' });
  });
});

describe('a role that cannot be assumed', () => {
  test.each(['trusts another role', 'does not exist', 'requires another external id'])(
    'because it %s is reported with its zone and with what to check',
    async () => {
      // STS replies in the same way to all three.
      sts.on(AssumeRoleCommand).rejects(awsError('AccessDenied', refusal, 403));
      const error = await callWithRole().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        name: 'RoleNotAssumedError',
        fields: { zone, role: role.arn },
      });
      const { message } = error as Error;
      expect(message).toContain(`hosted zone ${zone}`);
      expect(message).toContain(`${role.arn} cannot be assumed`);
      expect(message).toContain(refusal);
      expect(message).toMatch(/trusts? .*external id/);
    },
  );

  test('is reported with the advice on external ids if none is configured', async () => {
    sts.on(AssumeRoleCommand).rejects(awsError('AccessDenied', refusal, 403));
    as(role);
    await expect(credentials[0]?.()).rejects.toThrow(/no external id.*none is configured/);
  });

  test.each(['ValidationError', 'RegionDisabledException'])('is also named after a %s', async (name) => {
    sts.on(AssumeRoleCommand).rejects(awsError(name, 'STS is not activated in this region.', 403));
    await expect(callWithRole()).rejects.toMatchObject({
      name: 'RoleNotAssumedError',
      message: expect.stringMatching(new RegExp(`${role.arn} .*STS is not activated in this region\\.`)),
    });
  });

  test('is reported without its external id, in the error and in its cause', async () => {
    const message = `Value '${strict.externalId}' at 'externalId' failed to satisfy constraint`;
    sts.on(AssumeRoleCommand).rejects(awsError('ValidationError', message));
    const error = await callWithRole().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'RoleNotAssumedError', message: expect.stringContaining('[external id]') });
    expect(inspect(error, { depth: 10 })).not.toContain(strict.externalId);
  });

  test('because STS throttles is reported as throttling', async () => {
    sts.on(AssumeRoleCommand).rejects(awsError('Throttling'));
    await expect(callWithRole()).rejects.toMatchObject({
      name: 'ThrottledError',
      message: expect.stringContaining(`sts:AssumeRole on role ${role.arn}`),
    });
  });
});

describe('a call that Route 53 denies to a role', () => {
  test('is reported with the zone and the role', async () => {
    route53.on(GetHostedZoneCommand).rejects(awsError('AccessDenied', 'Not for you.', 403));
    await expect(as(role).nameServers(zone)).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringMatching(`route53:GetHostedZone on hosted zone ${zone} .*${role.arn}`),
    });
  });

  test('is reported with the zone and the role for a change too', async () => {
    route53.on(GetChangeCommand).rejects(awsError('AccessDenied', 'Not for you.', 403));
    await expect(as(role).pendingChanges([{ hostedZoneId: zone, role, id: '/change/C1' }])).rejects.toThrow(
      new RegExp(`/change/C1 in hosted zone ${zone} .*${role.arn}`),
    );
  });
});

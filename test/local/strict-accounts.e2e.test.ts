import { GetHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { AssumeRoleCommand, type Credentials, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeAll, expect, test } from 'vitest';
import { createHostedZone, inAccount } from '../../local/deploy.ts';
import type { LocalEnvironment } from '../../local/environment.ts';
import { sharedEnvironment } from './shared-environment.ts';
import { allow, createStack, credentialsOf } from './stack.ts';

const otherAccount = '111122223333';
const externalId = 'the-shop-0815';

let local: LocalEnvironment;
let zone: string;
/** Names of the roles by logical id. */
let names: Record<string, string>;
/** Credentials that allow sts:AssumeRole for any role. */
let caller: Awaited<ReturnType<typeof credentialsOf>>;

beforeAll(async () => {
  local = await sharedEnvironment();
  const other = inAccount(local, otherAccount);
  zone = await createHostedZone(other, 'example.test');
  caller = await credentialsOf(local, allow('sts:AssumeRole'));
  const { Arn = '' } = await new STSClient({ ...local.clientConfig, credentials: caller }).send(
    new GetCallerIdentityCommand({}),
  );
  const callerRole = Arn.replace(/:sts:(.*):assumed-role\/([^/]+)\/.*/, ':iam:$1:role/$2');
  names = await createStack(other, 'Roles', {
    trusting: trusting(callerRole),
    distrusting: trusting(`${callerRole}x`),
  });
});

const trusting = (role: string) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${local.aws.accountId}:root` },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'aws:PrincipalArn': role, 'sts:ExternalId': externalId } },
        },
      ],
    },
    Policies: [
      { PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: [allow('route53:GetHostedZone')] } },
    ],
  },
});

async function assume(name: string, id: string | null = externalId, credentials = caller) {
  const RoleArn = `arn:aws:iam::${otherAccount}:role/${names[name] ?? name}`;
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test', ExternalId: id ?? undefined });
  return (await new STSClient({ ...local.clientConfig, credentials }).send(command)).Credentials;
}
const readZone = (given: Credentials | undefined) => {
  const credentials = given && {
    accessKeyId: given.AccessKeyId ?? '',
    secretAccessKey: given.SecretAccessKey ?? '',
    sessionToken: given.SessionToken ?? '',
  };
  const client = new Route53Client({ ...local.clientConfig, ...(credentials && { credentials }) });
  return client.send(new GetHostedZoneCommand({ Id: zone }));
};
const denied = { name: 'AccessDenied' };

test('a role of another account can be assumed by the role in its trust policy, with the external id', async () => {
  expect((await readZone(await assume('trusting'))).HostedZone?.Name).toBe('example.test.');
});

test('a role cannot be assumed with another external id, without one, by another role, or if it does not exist', async () => {
  await expect(assume('trusting', 'another')).rejects.toMatchObject(denied);
  await expect(assume('trusting', null)).rejects.toMatchObject(denied);
  await expect(assume('distrusting')).rejects.toMatchObject(denied);
  await expect(assume('missing')).rejects.toMatchObject(denied);
});

test('a role cannot be assumed by a caller whose own policies do not allow it', async () => {
  const credentials = await credentialsOf(local, allow('route53:GetHostedZone'));
  await expect(assume('trusting', externalId, credentials)).rejects.toMatchObject(denied);
});

test('a hosted zone of another account is denied, and one that does not exist is not found', async () => {
  await expect(readZone(undefined)).rejects.toMatchObject({
    ...denied,
    message: expect.stringContaining('is not authorized to access this resource'),
  });
  const client = new Route53Client(local.clientConfig);
  await expect(client.send(new GetHostedZoneCommand({ Id: 'Z0NOWHERE' }))).rejects.toMatchObject({
    name: 'NoSuchHostedZone',
  });
});

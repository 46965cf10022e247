import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAccountSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/account-secrets.ts';
import { awsError } from '../aws-error.ts';

// Tests for rare replies of Secrets Manager. `account-secrets-behaviour.ts` tests the contract of the port.
const directoryUrl = 'https://ca.example:14000/directory';
// printf %s https://ca.example:14000/directory | sha256sum
const SecretId = 'certificates-accounts/ca.example-6876cf0d';
const url = 'https://ca.example:14000/account/1';

const sdk = mockClient(SecretsManagerClient);
const accounts = createAccountSecrets({
  prefix: 'certificates-accounts/',
  stackTag: 'Perennial',
  client: new SecretsManagerClient({ region: 'us-east-1' }),
});

function stored(account: object, VersionId = 'v1'): void {
  sdk
    .on(GetSecretValueCommand, { SecretId, VersionStage: 'AWSCURRENT' })
    .resolves({ VersionId, SecretString: JSON.stringify({ format: 1, directoryUrl, ...account }) });
}

const ownTags = [{ Key: 'perennial:stack', Value: 'Perennial' }];
/** Secrets Manager describes the secret of the account in this way. */
const described = (more: object = {}) =>
  sdk.on(DescribeSecretCommand, { SecretId }).resolves({ Tags: ownTags, ...more });

beforeEach(() => {
  sdk.reset();
  described();
});

describe('reading an account', () => {
  test.each([
    ['for another directory', { directoryUrl: 'https://other.example/', privateKey: 'key', url }],
    ['without a key', { url }],
    ['in another format', { format: 2, privateKey: 'key', url }],
  ])('rejects a secret %s', async (_, account) => {
    stored(account);
    await expect(accounts.read(directoryUrl)).rejects.toMatchObject({
      name: 'UnreadableSecretError',
      message: expect.stringContaining(SecretId),
    });
  });

  test('rejects a secret that is scheduled for deletion', async () => {
    described({ DeletedDate: new Date('2027-02-01T00:00:00Z') });
    await expect(accounts.read(directoryUrl)).rejects.toMatchObject({
      name: 'SecretDeletedError',
      message: expect.stringContaining(`aws secretsmanager restore-secret --secret-id ${SecretId}`),
    });
  });

  test.each([
    ['without tags', []],
    ['with the tag of another stack', [{ Key: 'perennial:stack', Value: 'Other' }]],
  ])('does not read the value of a secret %s, and names the command that deletes it at once', async (_, Tags) => {
    described({ Tags });
    stored({ privateKey: 'planted', url });
    const reading = accounts.read(directoryUrl);
    await expect(reading).rejects.toMatchObject({ name: 'SecretNotOwnedError', fields: { secret: SecretId } });
    await expect(reading).rejects.toThrow(
      `aws secretsmanager delete-secret --secret-id ${SecretId} --force-delete-without-recovery`,
    );
    await expect(reading).rejects.toThrow('remove-regions-from-replication');
    await expect(accounts.create(directoryUrl, 'key')).rejects.toThrow();
    expect(sdk.commandCalls(GetSecretValueCommand)).toHaveLength(0);
  });

  test.each([
    ['of this stack', {}],
    ['of another stack', { Tags: [] }],
  ])('rejects a replica %s, and names the command that ends the replication', async (_, fields) => {
    described({ PrimaryRegion: 'eu-west-1', ...fields });
    const reading = accounts.read(directoryUrl);
    await expect(reading).rejects.toMatchObject({ name: 'SecretReplicaError', fields: { region: 'us-east-1' } });
    await expect(reading).rejects.toThrow(
      `aws secretsmanager stop-replication-to-replica --secret-id ${SecretId} --region us-east-1`,
    );
  });

  test('reads the primary secret of replicas', async () => {
    described({ PrimaryRegion: 'us-east-1' });
    stored({ privateKey: 'key', url });
    expect(await accounts.read(directoryUrl)).toEqual({ privateKey: 'key', url, version: 'v1' });
  });
});

test('creating an account does not use the key of a secret that another process has planted', async () => {
  sdk.on(CreateSecretCommand).rejects(awsError('ResourceExistsException'));
  described({ Tags: [] });
  stored({ privateKey: 'planted', url: null });
  await expect(accounts.create(directoryUrl, 'key')).rejects.toMatchObject({ name: 'SecretNotOwnedError' });
});

test('creating an account fails if its secret exists without a value', async () => {
  sdk.on(CreateSecretCommand).rejects(awsError('ResourceExistsException'));
  sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
  await expect(accounts.create(directoryUrl, 'key')).rejects.toThrow(new RegExp(`${SecretId}.*value`));
});

test('a secret without a value is deleted by the command in the error, which frees its name at once', async () => {
  sdk.on(CreateSecretCommand).rejects(awsError('ResourceExistsException'));
  sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
  await expect(accounts.create(directoryUrl, 'key')).rejects.toThrow(
    `"aws secretsmanager delete-secret --secret-id ${SecretId} --force-delete-without-recovery", after "aws secretsmanager remove-regions`,
  );
});

test('replacing an account fails with the message of AWS if AWS rejects the move of an unchanged label', async () => {
  stored({ privateKey: 'old', url });
  sdk.on(PutSecretValueCommand).resolves({ VersionId: 'v2' });
  sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException', 'It is not there.'));
  const before = { privateKey: 'old', url, version: 'v1' };
  await expect(accounts.replace(directoryUrl, before, { privateKey: 'new', url })).rejects.toMatchObject({
    name: 'AwsRefusedError',
    message: expect.stringContaining('InvalidParameterException: It is not there.'),
  });
});

import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAccountSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/account-secrets.ts';
import { awsError } from '../aws-error.ts';

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

beforeEach(() => {
  sdk.reset();
});

describe('reading an account', () => {
  test('says null when there is none', async () => {
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await accounts.read(directoryUrl)).toBeNull();
  });

  test('gives key, URL and version', async () => {
    stored({ privateKey: 'key', url });
    expect(await accounts.read(directoryUrl)).toEqual({ privateKey: 'key', url, version: 'v1' });
  });

  test.each([
    ['of another directory', { directoryUrl: 'https://other.example/', privateKey: 'key', url }],
    ['without a key', { url }],
    ['of another format', { format: 2, privateKey: 'key', url }],
  ])('refuses one %s', async (_, account) => {
    stored(account);
    await expect(accounts.read(directoryUrl)).rejects.toMatchObject({
      name: 'UnreadableSecretError',
      message: expect.stringContaining(SecretId),
    });
  });

  test('says how to take back a secret that is scheduled for deletion', async () => {
    sdk.on(GetSecretValueCommand).rejects(awsError('InvalidRequestException'));
    sdk.on(DescribeSecretCommand, { SecretId }).resolves({ DeletedDate: new Date('2027-02-01T00:00:00Z') });
    await expect(accounts.read(directoryUrl)).rejects.toMatchObject({ name: 'SecretDeletedError' });
  });
});

describe('creating an account', () => {
  test('stores the key first, without a URL, and tagged', async () => {
    sdk.on(CreateSecretCommand).resolves({ VersionId: 'v1' });
    expect(await accounts.create(directoryUrl, 'key')).toEqual({ privateKey: 'key', url: null, version: 'v1' });
    expect(sdk).toHaveReceivedCommandExactlyOnceWith(CreateSecretCommand, {
      Name: SecretId,
      SecretString: JSON.stringify({ format: 1, directoryUrl, privateKey: 'key', url: null }),
      Tags: [{ Key: 'perennial:stack', Value: 'Perennial' }],
    });
  });

  test('yields to the key that was first', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('ResourceExistsException'));
    stored({ privateKey: 'theirs', url });
    expect(await accounts.create(directoryUrl, 'ours')).toEqual({ privateKey: 'theirs', url, version: 'v1' });
  });

  test('fails when there is a secret without a value', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('ResourceExistsException'));
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    await expect(accounts.create(directoryUrl, 'ours')).rejects.toThrow(
      `Secret ${SecretId} exists and has no current value`,
    );
  });
});

describe('saving the URL of an account', () => {
  const account = { privateKey: 'key', url: null, version: 'v1' };

  test('writes one version, whoever writes it at the same time', async () => {
    stored({ privateKey: 'key', url: null });
    sdk.on(PutSecretValueCommand).resolves({});
    const version = createHash('sha256').update(`v1#${url}`).digest('hex');
    expect(await accounts.saveUrl(directoryUrl, account, url)).toEqual({ privateKey: 'key', url, version });
    expect(await accounts.saveUrl(directoryUrl, account, url)).toEqual({ privateKey: 'key', url, version });
    expect(sdk).toHaveReceivedCommandWith(PutSecretValueCommand, {
      SecretId,
      ClientRequestToken: version,
      SecretString: JSON.stringify({ format: 1, directoryUrl, privateKey: 'key', url }),
    });
  });

  test('writes nothing when it is there', async () => {
    stored({ privateKey: 'key', url }, 'v2');
    expect(await accounts.saveUrl(directoryUrl, account, url)).toEqual({ privateKey: 'key', url, version: 'v2' });
    expect(sdk).not.toHaveReceivedCommand(PutSecretValueCommand);
  });

  test('writes nothing beside another key', async () => {
    stored({ privateKey: 'theirs', url: null }, 'v2');
    expect(await accounts.saveUrl(directoryUrl, account, url)).toEqual({
      privateKey: 'theirs',
      url: null,
      version: 'v2',
    });
    expect(sdk).not.toHaveReceivedCommand(PutSecretValueCommand);
  });

  test('fails when the secret has gone', async () => {
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    await expect(accounts.saveUrl(directoryUrl, account, url)).rejects.toThrow(`Secret ${SecretId} was deleted`);
  });
});

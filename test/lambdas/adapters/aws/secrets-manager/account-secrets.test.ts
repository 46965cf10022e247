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

/** What Secrets Manager answers only now and then. What the secrets do is in `account-secrets-behaviour.ts`. */
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

test('creating an account fails when there is a secret without a value', async () => {
  sdk.on(CreateSecretCommand).rejects(awsError('ResourceExistsException'));
  sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
  await expect(accounts.create(directoryUrl, 'ours')).rejects.toThrow(
    `Secret ${SecretId} exists and has no current value`,
  );
});

test('a replacement that is refused although the label is where it was fails with the words of AWS', async () => {
  stored({ privateKey: 'old', url });
  sdk.on(PutSecretValueCommand).resolves({ VersionId: 'v2' });
  sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException', 'It is not there.'));
  const before = { privateKey: 'old', url, version: 'v1' };
  await expect(accounts.replace(directoryUrl, before, { privateKey: 'new', url })).rejects.toMatchObject({
    name: 'UnexpectedError',
    message: expect.stringContaining('InvalidParameterException: It is not there.'),
  });
});

import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAccountSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/account-secrets.ts';
import { awsError } from '../aws-error.ts';

const directoryUrl = 'https://ca.example:14000/directory';
const SecretId = 'certificates-accounts/ca.example-6876cf0d';
const url = 'https://ca.example:14000/account/1';

const sdk = mockClient(SecretsManagerClient);
const options = {
  prefix: 'certificates-accounts/',
  stackTag: 'Perennial',
  client: new SecretsManagerClient({ region: 'us-east-1' }),
};
const accounts = createAccountSecrets(options);

function stored(account: object, VersionId: string): void {
  sdk
    .on(GetSecretValueCommand, { SecretId, VersionStage: 'AWSCURRENT' })
    .resolves({ VersionId, SecretString: JSON.stringify({ format: 1, directoryUrl, ...account }) });
}

beforeEach(() => {
  sdk.reset();
});

test('the key of a change that has not ended is read with the account', async () => {
  stored({ privateKey: 'old', nextPrivateKey: 'new', url }, 'v1');
  expect(await accounts.read(directoryUrl)).toEqual({ privateKey: 'old', nextPrivateKey: 'new', url, version: 'v1' });
});

describe('an account in the place of another', () => {
  const before = { privateKey: 'old', url, version: 'v1' };
  const after = { privateKey: 'old', url, nextPrivateKey: 'new' };

  test('becomes current from exactly the version that was read', async () => {
    sdk.on(PutSecretValueCommand).resolves({ VersionId: 'v2' });
    sdk.on(UpdateSecretVersionStageCommand).resolves({});
    expect(await accounts.replace(directoryUrl, before, after)).toEqual({ ...after, version: 'v2' });

    const [put] = sdk.commandCalls(PutSecretValueCommand);
    expect(put?.args[0].input).toMatchObject({ SecretId, VersionStages: ['CANDIDATE'] });
    expect(JSON.parse(put?.args[0].input.SecretString ?? '')).toEqual({ format: 1, directoryUrl, ...after });
    const [move] = sdk.commandCalls(UpdateSecretVersionStageCommand);
    expect(move?.args[0].input).toEqual({
      SecretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: 'v2',
      RemoveFromVersionId: 'v1',
    });
  });

  test('leaves the next key out when there is none', async () => {
    sdk.on(PutSecretValueCommand).resolves({ VersionId: 'v2' });
    sdk.on(UpdateSecretVersionStageCommand).resolves({});
    const replaced = await accounts.replace(directoryUrl, before, { privateKey: 'new', url });
    expect(replaced).toEqual({ privateKey: 'new', url, version: 'v2' });
    const [put] = sdk.commandCalls(PutSecretValueCommand);
    expect(JSON.parse(put?.args[0].input.SecretString ?? '')).not.toHaveProperty('nextPrivateKey');
  });

  test('gives way to one that was faster', async () => {
    stored({ privateKey: 'theirs', url }, 'v3');
    sdk.on(PutSecretValueCommand).resolves({ VersionId: 'v2' });
    sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException'));
    expect(await accounts.replace(directoryUrl, before, after)).toEqual({ privateKey: 'theirs', url, version: 'v3' });
  });

  test('that is refused for another cause is an error', async () => {
    stored({ privateKey: 'old', url }, 'v1');
    sdk.on(PutSecretValueCommand).resolves({ VersionId: 'v2' });
    sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException'));
    await expect(accounts.replace(directoryUrl, before, after)).rejects.toThrow('UpdateSecretVersionStage');
  });
});

describe('a new secret', () => {
  test.each([
    ['names the key that the stack was given', 'arn:aws:kms:us-east-1:123456789012:key/1'],
    ['names none otherwise', undefined],
  ])('%s', async (_, kmsKeyId) => {
    sdk.on(CreateSecretCommand).resolves({ VersionId: 'v1' });
    await createAccountSecrets({ ...options, kmsKeyId }).create(directoryUrl, 'key');
    expect(sdk.commandCalls(CreateSecretCommand)[0]?.args[0].input.KmsKeyId).toBe(kmsKeyId);
  });
});

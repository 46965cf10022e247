import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { createExternalAccountKeys } from '../../../../../lambdas/adapters/aws/secrets-manager/external-account-keys.ts';
import { awsError } from '../aws-error.ts';

const SecretId = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:zerossl-AbCdEf';
const sdk = mockClient(SecretsManagerClient);
const read = createExternalAccountKeys(new SecretsManagerClient({ region: 'eu-west-1' }));
beforeEach(() => {
  sdk.reset();
});

const holding = (SecretString: string | undefined) =>
  sdk
    .on(GetSecretValueCommand, { SecretId, VersionStage: 'AWSCURRENT' })
    .resolves(SecretString === undefined ? {} : { SecretString });

test.each(['aG1hYw', 'aG1h_-w', 'aG1h/+w='])(
  'a binding is read from the secret with this ARN (hmacKey %s)',
  async (hmacKey) => {
    holding(JSON.stringify({ kid: 'key-1', hmacKey, note: 'from the portal' }));
    expect(await read(SecretId)).toEqual({ kid: 'key-1', hmacKey });
  },
);

test.each([
  ['invalid JSON', 'key-1:aG1hYw'],
  ['no kid', '{"hmacKey":"aG1hYw"}'],
  ['an empty kid', '{"kid":"","hmacKey":"aG1hYw"}'],
  ['no hmacKey', '{"kid":"key-1"}'],
  ['an hmacKey that is not base64url', '{"kid":"key-1","hmacKey":"s e c r e t"}'],
  ['no string value', undefined],
])('a secret with %s is rejected with the expected format and without its value', async (_, value) => {
  holding(value);
  const error: unknown = await read(SecretId).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    name: 'ExternalAccountBindingError',
    message: expect.stringMatching(new RegExp(`${SecretId} .*{"kid": "…", "hmacKey": "…"}`)),
    fields: { secret: SecretId },
  });
  expect((error as Error).message).not.toMatch(/key-1|aG1hYw|s e c r e t/);
});

test('a secret that does not exist is named in the error', async () => {
  sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
  await expect(read(SecretId)).rejects.toMatchObject({
    name: 'ExternalAccountBindingError',
    message: expect.stringMatching(/zerossl-AbCdEf.*JSON object/),
  });
});

test('a secret that the function may not read is named with the permissions to check', async () => {
  sdk.on(GetSecretValueCommand).rejects(awsError('AccessDeniedException'));
  await expect(read(SecretId)).rejects.toMatchObject({
    name: 'ExternalAccountBindingError',
    message: expect.stringMatching(/zerossl-AbCdEf.*KMS key/),
  });
});

test('a secret that is scheduled for deletion is rejected with the command that restores it', async () => {
  sdk.on(GetSecretValueCommand).rejects(awsError('InvalidRequestException'));
  sdk.on(DescribeSecretCommand).resolves({ DeletedDate: new Date('2026-11-20T10:00:00Z') });
  await expect(read(SecretId)).rejects.toMatchObject({
    name: 'ExternalAccountBindingError',
    message: expect.stringContaining('restore-secret'),
  });
});

test('throttling of the read is reported as such', async () => {
  sdk.on(GetSecretValueCommand).rejects(awsError('ThrottlingException'));
  await expect(read(SecretId)).rejects.toMatchObject({ name: 'ThrottledError' });
});

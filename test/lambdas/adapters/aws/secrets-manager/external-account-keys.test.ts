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
  ['a byte order mark', '\ufeff{"kid":"key-1","hmacKey":"aG1hYw"}'],
  ['white space around it', '\r\n {"kid":"key-1","hmacKey":"aG1hYw"}\r\n'],
  ['white space in its values', '{"kid":" key-1\\n","hmacKey":"aG1hYw\\r\\n"}'],
])('a binding with %s is read', async (_, value) => {
  holding(value);
  expect(await read(SecretId)).toEqual({ kid: 'key-1', hmacKey: 'aG1hYw' });
});

test.each([
  ['invalid JSON', 'key-1:aG1hYw', 'not a JSON object'],
  ['a JSON text', '"key-1:aG1hYw"', 'not a JSON object'],
  ['a JSON list', '["key-1","aG1hYw"]', 'not a JSON object'],
  ['no kid', '{"hmacKey":"aG1hYw"}', 'Its members are hmacKey.'],
  ['an empty kid', '{"kid":"","hmacKey":"aG1hYw"}', 'Its members are kid, hmacKey. Its kid is empty'],
  ['no hmacKey', '{"kid":"key-1"}', 'Its members are kid.'],
  ['the names of gcloud', '{"keyId":"key-1","b64MacKey":"aG1hYw"}', 'Its members are keyId, b64MacKey.'],
  ['values in place of names', `{"key-1":"aG1hYw","${'x'.repeat(43)}":""}`, 'a name of 43 characters'],
  ['an hmacKey that is not base64url', '{"kid":"key-1","hmacKey":"s e c r e t"}', 'hmacKey is not base64url'],
  [
    'many members',
    JSON.stringify(Object.fromEntries([...'abcdefghijkl'].map((name) => [name, 'aG1hYw']))),
    'j and 2 more',
  ],
  ['no string value', undefined, 'It has no text'],
])('a secret with %s is rejected with the names of its members, without its values', async (_, value, why) => {
  holding(value);
  const error: unknown = await read(SecretId).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    name: 'ExternalAccountBindingError',
    message: expect.stringMatching(new RegExp(`${SecretId} .*${why}.*{"kid": "…", "hmacKey": "…"}`)),
    fields: { secret: SecretId },
  });
  expect((error as Error).message).not.toMatch(/aG1hYw|s e c r e t|xxxx/);
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

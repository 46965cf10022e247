import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { createCertificateVersions } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-versions.ts';
import { keyFingerprint } from '../../../../../lambdas/domain/rules/certificate/key-fingerprint.ts';
import { secretValue } from '../../../../fakes/certificate-authority.ts';
import { awsError } from '../aws-error.ts';

// Tests for rare replies of Secrets Manager. `certificate-secrets-behaviour.ts` tests the contract of the port.
const sdk = mockClient(SecretsManagerClient);
const client = new SecretsManagerClient({ region: 'us-east-1' });
const versions = createCertificateVersions({ prefix: 'certificates/', client });

beforeEach(() => {
  sdk.reset();
});

test('the versions of a certificate are read from all pages', async () => {
  const value = await secretValue({ identifiers: ['example.com'], serialNumber: '0a01' });
  // Without this flag Secrets Manager omits versions that have no label.
  const IncludeDeprecated = true;
  sdk
    .on(ListSecretVersionIdsCommand, { IncludeDeprecated })
    .resolves({ Versions: [{ VersionId: 'v1' }], NextToken: 'more' })
    .on(ListSecretVersionIdsCommand, { IncludeDeprecated, NextToken: 'more' })
    .resolves({ Versions: [{ VersionId: 'v2', VersionStages: ['AWSCURRENT'] }] });
  sdk.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify(value) });
  const stored = [
    { versionId: 'v1', current: false, value },
    { versionId: 'v2', current: true, value },
  ];
  expect(await versions.list('www')).toEqual({ stored, staged: [] });
});

test('a listing ends on an empty token', async () => {
  sdk.on(ListSecretVersionIdsCommand).resolves({ Versions: [], NextToken: '' });
  expect(await versions.list('www')).toEqual({ stored: [], staged: [] });
  expect(sdk.commandCalls(ListSecretVersionIdsCommand)).toHaveLength(1);
});

test('a listing that never ends is an error', async () => {
  sdk.on(ListSecretVersionIdsCommand).resolves({ Versions: [], NextToken: 'more' });
  await expect(versions.list('www')).rejects.toThrow(/more than 2000 versions of certificates\/www/);
});

test('a version that is deleted during the listing is skipped', async () => {
  sdk.on(ListSecretVersionIdsCommand).resolves({ Versions: [{ VersionId: 'v1' }] });
  sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
  expect(await versions.list('www')).toEqual({ stored: [], staged: [] });
});

test('a version that is already marked as compromised is not marked again', async () => {
  const value = await secretValue({ identifiers: ['example.com'] });
  const mark = `COMPROMISED-${keyFingerprint(value.privateKey)}`;
  sdk.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify(value) });
  sdk
    .on(ListSecretVersionIdsCommand)
    .resolves({ Versions: [{ VersionId: 'v1', VersionStages: ['AWSCURRENT', mark] }] });
  await versions.markCompromised('www', 'v1');
  expect(sdk.commandCalls(UpdateSecretVersionStageCommand)).toEqual([]);
});

test('a listing that AWS denies names the action and the secret', async () => {
  sdk.on(ListSecretVersionIdsCommand).rejects(awsError('AccessDeniedException'));
  await expect(versions.list('www')).rejects.toMatchObject({
    name: 'AccessDeniedError',
    message: expect.stringMatching(/secretsmanager:ListSecretVersionIds.*certificates\/www/),
  });
});

test.each(['InvalidParameterException', 'ResourceNotFoundException'])(
  'a mark that another revocation sets at the same time is refused, and is no defect (%s)',
  async (name) => {
    const value = await secretValue({ identifiers: ['example.com'] });
    sdk.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify(value) });
    sdk.on(ListSecretVersionIdsCommand).resolves({ Versions: [{ VersionId: 'v1', VersionStages: ['AWSCURRENT'] }] });
    sdk.on(UpdateSecretVersionStageCommand).rejects(awsError(name, 'The label is on another version.'));
    await expect(versions.markCompromised('www', 'v1')).rejects.toMatchObject({
      name: 'AwsRefusedError',
      message: expect.stringMatching(/The label is on another version\. Another revocation has moved the label\./),
    });
  },
);

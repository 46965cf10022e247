import {
  CreateSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCertificateSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-secrets.ts';
import { createCertificateVersions } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-versions.ts';
import { awsError } from '../aws-error.ts';

const SecretId = 'certificates/www';
const value = {
  format: 1,
  certificate: 'leaf',
  chain: 'chain',
  fullChain: 'leafchain',
  privateKey: 'key',
  identifiers: ['example.com'],
  serialNumber: '0a',
  notBefore: '2026-03-01T11:00:00Z',
  notAfter: '2026-05-30T10:59:59Z',
  issuer: 'CN=Test',
  keyType: 'P-256',
  directoryUrl: 'https://ca.test/directory',
  profile: null,
};

const sdk = mockClient(SecretsManagerClient);
const client = new SecretsManagerClient({ region: 'us-east-1' });
const versions = createCertificateVersions({ prefix: 'certificates/', client });

function holds(VersionId: string, content: object): void {
  sdk.on(GetSecretValueCommand, { SecretId, VersionId }).resolves({ VersionId, SecretString: JSON.stringify(content) });
}

beforeEach(() => {
  sdk.reset();
});

describe('the versions of a certificate', () => {
  test('are those that hold one, on all pages, also without a label', async () => {
    sdk
      .on(ListSecretVersionIdsCommand, { SecretId, IncludeDeprecated: true })
      .resolves({ Versions: [{ VersionId: 'placeholder' }, { VersionId: 'v1' }], NextToken: 'more' })
      .on(ListSecretVersionIdsCommand, { SecretId, IncludeDeprecated: true, NextToken: 'more' })
      .resolves({ Versions: [{ VersionId: 'key' }, { VersionId: 'v2', VersionStages: ['AWSCURRENT'] }] });
    holds('placeholder', { format: 0 });
    holds('v1', { ...value, serialNumber: '01' });
    holds('key', { format: 1, orderUrl: 'https://ca.test/order/1', privateKey: 'key' });
    holds('v2', value);
    expect(await versions.list('www')).toEqual([
      { versionId: 'v1', current: false, value: { ...value, serialNumber: '01' } },
      { versionId: 'v2', current: true, value },
    ]);
  });

  test('may lose one while they are read', async () => {
    sdk.on(ListSecretVersionIdsCommand).resolves({ Versions: [{ VersionId: 'v1' }] });
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await versions.list('www')).toEqual([]);
  });

  test('that may not be listed name the call', async () => {
    sdk.on(ListSecretVersionIdsCommand).rejects(awsError('AccessDeniedException'));
    await expect(versions.list('www')).rejects.toThrow(
      'secretsmanager:ListSecretVersionIds on secret certificates/www was denied',
    );
  });
});

describe('a compromised version', () => {
  const marking = async (...Versions: { VersionId: string; VersionStages?: string[] }[]) => {
    sdk.on(ListSecretVersionIdsCommand).resolves({ Versions });
    sdk.on(UpdateSecretVersionStageCommand).resolves({});
    await versions.markCompromised('www', 'v2');
    return sdk.commandCalls(UpdateSecretVersionStageCommand).map(({ args }) => args[0].input);
  };
  const label = { SecretId, VersionStage: 'COMPROMISED', MoveToVersionId: 'v2' };

  test('gets the label', async () => {
    expect(await marking({ VersionId: 'v1' }, { VersionId: 'v2' })).toEqual([label]);
  });

  test('gets it from an earlier one', async () => {
    expect(await marking({ VersionId: 'v1', VersionStages: ['COMPROMISED'] }, { VersionId: 'v2' })).toEqual([
      { ...label, RemoveFromVersionId: 'v1' },
    ]);
  });

  test('keeps it', async () => {
    expect(await marking({ VersionId: 'v2', VersionStages: ['AWSCURRENT', 'COMPROMISED'] })).toEqual([]);
  });

  test.each([
    [true, ['AWSCURRENT', 'COMPROMISED']],
    [false, ['AWSCURRENT']],
  ])('is told to readers of the current one: %s', async (compromised, VersionStages) => {
    sdk
      .on(GetSecretValueCommand)
      .resolves({ ARN: 'arn', VersionId: 'v2', VersionStages, SecretString: JSON.stringify(value) });
    const secrets = createCertificateSecrets({ prefix: 'certificates/', stackTag: 'Perennial', client });
    expect(await secrets.readCurrent('www')).toEqual({ arn: 'arn', versionId: 'v2', value, compromised });
  });
});

test('a new secret names the key that the stack was given', async () => {
  sdk.on(CreateSecretCommand).resolves({});
  const kmsKeyId = 'arn:aws:kms:us-east-1:123456789012:key/1';
  await createCertificateSecrets({ prefix: 'certificates/', stackTag: 'Perennial', kmsKeyId, client }).create('www');
  expect(sdk.commandCalls(CreateSecretCommand)[0]?.args[0].input.KmsKeyId).toBe(kmsKeyId);
});

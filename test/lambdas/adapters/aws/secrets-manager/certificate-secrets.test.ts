import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
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
import { createCertificateSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-secrets.ts';
import type { CertificateSecretValue } from '../../../../../lambdas/domain/contract/certificate-secret.ts';
import { keyFingerprint } from '../../../../../lambdas/domain/rules/certificate/key-fingerprint.ts';
import { atCa } from '../../../../fakes/specs.ts';
import { awsError } from '../aws-error.ts';

// Tests for rare replies of Secrets Manager. `certificate-secrets-behaviour.ts` tests the contract of the port.
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const orderUrl = 'https://ca.example/order/1';
const placeholder = sha256('perennial placeholder');
const privateKey = '-----BEGIN PRIVATE KEY-----\nb3Vycw==\n-----END PRIVATE KEY-----\n';
const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:certificates/www-AbCdEf';
const SecretId = 'certificates/www';

const value: CertificateSecretValue = {
  format: 1,
  certificate: 'leaf',
  chain: 'issuers',
  fullChain: 'leafissuers',
  privateKey,
  identifiers: ['example.com', '*.example.com'],
  serialNumber: '04A1',
  notBefore: '2027-01-01T00:00:00Z',
  notAfter: '2027-04-01T00:00:00Z',
  issuer: 'CN=Example CA',
  keyType: 'P-256',
  directoryUrl: 'https://ca.example/directory',
  profile: null,
};

const sdk = mockClient(SecretsManagerClient);
const secrets = createCertificateSecrets({
  prefix: 'certificates/',
  stackTag: 'Perennial',
  client: new SecretsManagerClient({ region: 'us-east-1' }),
});
const thrownBy = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
const shown = (thrown: unknown): string => inspect(thrown, { depth: 9, showHidden: true });

beforeEach(() => {
  sdk.reset();
});

describe('creating a secret', () => {
  test('rejects a secret that is scheduled for deletion and names the command that restores it', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('InvalidRequestException'));
    sdk.on(DescribeSecretCommand).resolves({ DeletedDate: new Date('2027-02-01T00:00:00Z') });
    await expect(secrets.create('www')).rejects.toMatchObject({
      name: 'SecretDeletedError',
      message: expect.stringMatching(/2027-02-01.*aws secretsmanager restore-secret --secret-id certificates\/www\b/),
    });
  });

  test('reports a secret that another AWS service manages', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('InvalidRequestException', 'It is managed.'));
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, OwningService: 'appflow' });
    await expect(secrets.create('www')).rejects.toMatchObject({
      name: 'SecretNotOwnedError',
      message: expect.stringMatching(/is managed by appflow.*another name/),
    });
  });

  test.each(['LimitExceededException', 'PreconditionNotMetException', 'ResourceNotFoundException'])(
    'reports %s with a remedy, and not as a defect',
    async (name) => {
      sdk.on(CreateSecretCommand).rejects(awsError(name, 'as AWS says'));
      await expect(secrets.create('www')).rejects.toMatchObject({
        name: 'AwsRefusedError',
        message: expect.stringMatching(
          /CreateSecret on secret certificates\/www was refused\. \w+: as AWS says\. \w.*\./,
        ),
        fields: { action: 'secretsmanager:CreateSecret', resource: 'secret certificates/www' },
      });
    },
  );

  test('reports another invalid request in the words of AWS', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('InvalidRequestException', 'Something else.'));
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn });
    await expect(secrets.create('www')).rejects.toMatchObject({
      name: 'AwsRefusedError',
      message: expect.stringMatching(/CreateSecret.*certificates\/www.*InvalidRequestException: Something else\./),
    });
  });

  test('names the action and the secret if AWS denies the call', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('AccessDeniedException'));
    await expect(secrets.create('www')).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringMatching(/secretsmanager:CreateSecret.*certificates\/www/),
    });
  });
});

describe('a staged key', () => {
  test('that exists and cannot be read is an error, so that the order is not finalized with another key', async () => {
    sdk.on(PutSecretValueCommand).rejects(awsError('ResourceExistsException'));
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    await expect(secrets.stageKey('www', atCa(orderUrl), privateKey)).rejects.toMatchObject({
      name: 'UnexpectedError',
    });
  });

  test('is not in the error even if AWS repeats it', async () => {
    const message = `Value '${JSON.stringify({ format: 1, orderUrl, privateKey })}' at 'secretString' failed`;
    sdk.on(PutSecretValueCommand).rejects(awsError('ValidationException', message));
    const thrown = await thrownBy(secrets.stageKey('www', atCa(orderUrl), privateKey));
    expect(thrown).toMatchObject({ name: 'UnexpectedError', message: expect.stringContaining('[PEM block]') });
    expect(shown(thrown)).not.toContain('b3Vycw==');
  });

  test.each([
    ['for another order', JSON.stringify({ format: 1, orderUrl: 'https://ca.example/order/2', privateKey })],
    ['that is not JSON', privateKey],
    ['without a key', JSON.stringify({ format: 1, orderUrl })],
    ['that is not an object', 'null'],
  ])('%s is unreadable, and is not in the error', async (_, SecretString) => {
    sdk.on(GetSecretValueCommand).resolves({ SecretString });
    const thrown = await thrownBy(secrets.stagedKey('www', orderUrl));
    expect(thrown).toMatchObject({ name: 'UnreadableSecretError', message: expect.stringContaining(SecretId) });
    expect(shown(thrown)).not.toMatch(/PRIVATE KEY|b3Vycw/);
  });

  test('is not in the error if it is compromised', async () => {
    const mark = `COMPROMISED-${keyFingerprint(privateKey)}`;
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { marked: [mark] } });
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    const staged = JSON.stringify({ format: 1, orderUrl, privateKey });
    sdk.on(GetSecretValueCommand, { VersionId: sha256(orderUrl) }).resolves({ SecretString: staged });
    const thrown = await thrownBy(secrets.stagedKey('www', orderUrl));
    expect(thrown).toMatchObject({ name: 'CompromisedKeyError', message: expect.stringContaining(orderUrl) });
    expect(shown(thrown)).not.toContain('b3Vycw==');
  });
});

test.each(['InvalidParameterException', 'ResourceNotFoundException'])(
  'making a certificate current finds the version that another execution made current after %s',
  async (name) => {
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { before: ['AWSCURRENT'] } });
    sdk.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).resolves({ VersionId: 'version' });
    sdk.on(UpdateSecretVersionStageCommand).rejects(awsError(name));
    expect(await secrets.makeCurrent('www', { from: 'before', to: 'version' })).toEqual({ arn, first: false });
  },
);

test('making a certificate current fails with the message of AWS if AWS rejects the move of an unchanged AWSCURRENT', async () => {
  sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { before: ['AWSCURRENT'] } });
  sdk.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).resolves({ VersionId: 'before' });
  sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException', 'It is not there.'));
  await expect(secrets.makeCurrent('www', { from: 'before', to: 'version' })).rejects.toMatchObject({
    name: 'AwsRefusedError',
    message: expect.stringMatching(
      /UpdateSecretVersionStage.*certificates\/www.*InvalidParameterException: It is not there\./,
    ),
  });
});

describe('reading the current certificate', () => {
  test.each([
    ['does not exist', /not exist/, { rejects: true }],
    ['is still empty', /empty/, { VersionId: placeholder, SecretString: '{"format":0,"status":"none"}' }],
    ['has another format', /another format/, { VersionId: 'v', SecretString: JSON.stringify({ ...value, format: 2 }) }],
    [
      'has another format',
      /another format/,
      { VersionId: 'v', SecretString: JSON.stringify({ ...value, privateKey: 7 }) },
    ],
    [
      'has another format',
      /another format/,
      { VersionId: 'v', SecretString: JSON.stringify({ ...value, identifiers: 'a' }) },
    ],
    [
      'has another format',
      /another format/,
      { VersionId: 'v', SecretString: JSON.stringify({ ...value, keyType: 'DSA' }) },
    ],
    ['has another format', /another format/, { VersionId: 'v', SecretString: privateKey }],
  ])('reports that it %s, without its value', async (_, reason, reply) => {
    if ('rejects' in reply) sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    else sdk.on(GetSecretValueCommand).resolves(reply);
    const thrown = await thrownBy(secrets.readCurrent('www'));
    expect(thrown).toMatchObject({
      name: 'UnreadableSecretError',
      message: expect.stringMatching(new RegExp(`certificates/www.* ${reason.source}`)),
    });
    expect(shown(thrown)).not.toMatch(/PRIVATE KEY|b3Vycw/);
  });

  test('reports throttling by Secrets Manager', async () => {
    sdk.on(GetSecretValueCommand).rejects(awsError('ThrottlingException'));
    await expect(secrets.readCurrent('www')).rejects.toMatchObject({ name: 'ThrottledError' });
  });
});

test.each([
  ['a replica', 'eu-west-1', { region: 'us-east-1', primaryRegion: 'eu-west-1' }],
  ['a primary secret', 'us-east-1', null],
  ['a secret without replicas', undefined, null],
])('describing %s tells whether it is a replica', async (_, PrimaryRegion, replica) => {
  sdk.on(DescribeSecretCommand).resolves({ ARN: arn, ...(PrimaryRegion !== undefined && { PrimaryRegion }) });
  expect(await secrets.describe('www')).toMatchObject({ replica });
});

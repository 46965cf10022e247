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
import { awsError } from '../aws-error.ts';

/** What Secrets Manager answers only now and then. What the secrets do is in `certificate-secrets-behaviour.ts`. */
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
  test('says how to take back one that is scheduled for deletion', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('InvalidRequestException'));
    sdk.on(DescribeSecretCommand).resolves({ DeletedDate: new Date('2027-02-01T00:00:00Z') });
    await expect(secrets.create('www')).rejects.toMatchObject({
      name: 'SecretDeletedError',
      message: expect.stringMatching(/2027-02-01.*aws secretsmanager restore-secret --secret-id certificates\/www\.$/),
    });
  });

  test('does not blame a deletion for another invalid request', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('InvalidRequestException', 'Something else.'));
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn });
    await expect(secrets.create('www')).rejects.toMatchObject({
      name: 'UnexpectedError',
      message:
        'secretsmanager:CreateSecret on secret certificates/www failed. InvalidRequestException: Something else.',
    });
  });

  test('names the action and the secret when it is denied', async () => {
    sdk.on(CreateSecretCommand).rejects(awsError('AccessDeniedException'));
    await expect(secrets.create('www')).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringContaining('secretsmanager:CreateSecret on secret certificates/www was denied'),
    });
  });
});

describe('a staged key', () => {
  test('that was first and cannot be seen lets nothing be finalized', async () => {
    sdk.on(PutSecretValueCommand).rejects(awsError('ResourceExistsException'));
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    await expect(secrets.stageKey('www', orderUrl, privateKey)).rejects.toMatchObject({ name: 'UnexpectedError' });
  });

  test('is not in the error when AWS repeats it', async () => {
    const message = `Value '${JSON.stringify({ format: 1, orderUrl, privateKey })}' at 'secretString' failed`;
    sdk.on(PutSecretValueCommand).rejects(awsError('ValidationException', message));
    const thrown = await thrownBy(secrets.stageKey('www', orderUrl, privateKey));
    expect(thrown).toMatchObject({ name: 'UnexpectedError', message: expect.stringContaining('[PEM block]') });
    expect(shown(thrown)).not.toContain('b3Vycw==');
  });

  test.each([
    ['of another order', JSON.stringify({ format: 1, orderUrl: 'https://ca.example/order/2', privateKey })],
    ['that is not JSON', privateKey],
    ['without a key', JSON.stringify({ format: 1, orderUrl })],
    ['that is no object', 'null'],
  ])('%s is unreadable, and the error shows none of it', async (_, SecretString) => {
    sdk.on(GetSecretValueCommand).resolves({ SecretString });
    const thrown = await thrownBy(secrets.stagedKey('www', orderUrl));
    expect(thrown).toMatchObject({ name: 'UnreadableSecretError', message: expect.stringContaining(SecretId) });
    expect(shown(thrown)).not.toMatch(/PRIVATE KEY|b3Vycw/);
  });

  test('that is compromised is not in the error', async () => {
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { marked: ['COMPROMISED'] } });
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    sdk.on(GetSecretValueCommand, { VersionId: 'marked' }).resolves({ SecretString: JSON.stringify(value) });
    const staged = JSON.stringify({ format: 1, orderUrl, privateKey });
    sdk.on(GetSecretValueCommand, { VersionId: sha256(orderUrl) }).resolves({ SecretString: staged });
    const thrown = await thrownBy(secrets.stagedKey('www', orderUrl));
    expect(thrown).toMatchObject({ name: 'CompromisedKeyError', message: expect.stringContaining(orderUrl) });
    expect(shown(thrown)).not.toContain('b3Vycw==');
  });
});

test('a move of AWSCURRENT that is refused although the label is where it was fails with the words of AWS', async () => {
  sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { before: ['AWSCURRENT'] } });
  sdk.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).resolves({ VersionId: 'before' });
  sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException', 'It is not there.'));
  await expect(secrets.makeCurrent('www', 'version')).rejects.toMatchObject({
    name: 'UnexpectedError',
    message:
      'secretsmanager:UpdateSecretVersionStage on secret certificates/www failed. InvalidParameterException: It is not there.',
  });
});

describe('reading the current certificate', () => {
  test.each([
    ['does not exist', { rejects: true }],
    ['is still empty', { VersionId: placeholder, SecretString: '{"format":0,"status":"none"}' }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, format: 2 }) }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, privateKey: 7 }) }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, identifiers: 'a' }) }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, keyType: 'DSA' }) }],
    ['is of another format', { VersionId: 'v', SecretString: privateKey }],
  ])('says that it %s, and shows none of it', async (found, reply) => {
    if ('rejects' in reply) sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    else sdk.on(GetSecretValueCommand).resolves(reply);
    const thrown = await thrownBy(secrets.readCurrent('www'));
    expect(thrown).toMatchObject({
      name: 'UnreadableSecretError',
      message: expect.stringContaining(`The current version of secret certificates/www ${found}`),
    });
    expect(shown(thrown)).not.toMatch(/PRIVATE KEY|b3Vycw/);
  });

  test('is a throttle when Secrets Manager is busy', async () => {
    sdk.on(GetSecretValueCommand).rejects(awsError('ThrottlingException'));
    await expect(secrets.readCurrent('www')).rejects.toMatchObject({ name: 'ThrottledError' });
  });
});

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
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCertificateSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-secrets.ts';
import type { CertificateSecretValue } from '../../../../../lambdas/domain/contract/certificate-secret.ts';
import { awsError } from '../aws-error.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const orderUrl = 'https://ca.example/order/1';
const keyVersion = sha256(orderUrl);
const certificateVersion = sha256(`${orderUrl}#certificate`);
const placeholder = sha256('perennial placeholder');
const privateKey = '-----BEGIN PRIVATE KEY-----\nb3Vycw==\n-----END PRIVATE KEY-----\n';
const theirKey = '-----BEGIN PRIVATE KEY-----\ndGhlaXJz\n-----END PRIVATE KEY-----\n';
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

beforeEach(() => {
  sdk.reset();
});

describe('describing a secret', () => {
  test('says null when there is none', async () => {
    sdk.on(DescribeSecretCommand, { SecretId }).rejects(awsError('ResourceNotFoundException'));
    expect(await secrets.describe('www')).toBeNull();
  });

  test('tells ours from others by the tag', async () => {
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, Tags: [{ Key: 'perennial:stack', Value: 'Perennial' }] });
    expect(await secrets.describe('www')).toMatchObject({ arn, ours: true });
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, Tags: [{ Key: 'perennial:stack', Value: 'Another' }] });
    expect(await secrets.describe('www')).toMatchObject({ ours: false });
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn });
    expect(await secrets.describe('www')).toMatchObject({ ours: false });
  });

  test('has no current version while that is the placeholder', async () => {
    sdk.on(DescribeSecretCommand).resolves({
      VersionIdsToStages: { [placeholder]: ['AWSCURRENT'], [keyVersion]: ['CANDIDATE'] },
    });
    expect(await secrets.describe('www')).toMatchObject({ currentVersion: null, deletedAt: null });
  });

  test('has the version that AWSCURRENT is on', async () => {
    sdk.on(DescribeSecretCommand).resolves({
      VersionIdsToStages: { [placeholder]: ['AWSPREVIOUS'], [certificateVersion]: ['CANDIDATE', 'AWSCURRENT'] },
    });
    expect(await secrets.describe('www')).toMatchObject({ currentVersion: certificateVersion });
  });

  test('has the day when it will be deleted', async () => {
    sdk.on(DescribeSecretCommand).resolves({ DeletedDate: new Date('2027-02-01T00:00:00Z') });
    expect(await secrets.describe('www')).toMatchObject({ deletedAt: '2027-02-01T00:00:00.000Z' });
  });
});

describe('creating a secret', () => {
  test('writes a tagged placeholder under a version id that everyone knows', async () => {
    sdk.on(CreateSecretCommand).resolves({ ARN: arn });
    await secrets.create('www');
    expect(sdk).toHaveReceivedCommandExactlyOnceWith(CreateSecretCommand, {
      Name: SecretId,
      ClientRequestToken: placeholder,
      SecretString: '{"format":0,"status":"No certificate has been issued yet."}',
      Tags: [
        { Key: 'perennial:stack', Value: 'Perennial' },
        { Key: 'perennial:certificate', Value: 'www' },
      ],
    });
  });

  test('leaves one that is there alone', async () => {
    sdk.on(CreateSecretCommand).resolvesOnce({ ARN: arn }).rejects(awsError('ResourceExistsException'));
    await secrets.create('www');
    await secrets.create('www');
    expect(sdk).not.toHaveReceivedCommand(PutSecretValueCommand);
  });

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

describe('staging a key', () => {
  test("puts it under the order's hash, and leaves AWSCURRENT where it is", async () => {
    sdk.on(PutSecretValueCommand).resolves({ VersionId: keyVersion });
    expect(await secrets.stageKey('www', orderUrl, privateKey)).toBe(privateKey);
    expect(await secrets.stageKey('www', orderUrl, privateKey)).toBe(privateKey);
    expect(sdk).toHaveReceivedCommandWith(PutSecretValueCommand, {
      SecretId,
      ClientRequestToken: keyVersion,
      SecretString: JSON.stringify({ format: 1, orderUrl, privateKey }),
      VersionStages: ['CANDIDATE'],
    });
  });

  test('yields to the key that was staged first', async () => {
    sdk.on(PutSecretValueCommand).rejects(awsError('ResourceExistsException'));
    sdk
      .on(GetSecretValueCommand, { SecretId, VersionId: keyVersion })
      .resolves({ SecretString: JSON.stringify({ format: 1, orderUrl, privateKey: theirKey }) });
    expect(await secrets.stageKey('www', orderUrl, privateKey)).toBe(theirKey);
  });

  test('finalizes nothing when the key that was first cannot be seen', async () => {
    sdk.on(PutSecretValueCommand).rejects(awsError('ResourceExistsException'));
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    await expect(secrets.stageKey('www', orderUrl, privateKey)).rejects.toMatchObject({ name: 'UnexpectedError' });
  });

  test('keeps the key out of the error when AWS repeats it', async () => {
    const message = `Value '${JSON.stringify({ format: 1, orderUrl, privateKey })}' at 'secretString' failed`;
    sdk.on(PutSecretValueCommand).rejects(awsError('ValidationException', message));
    const thrown = await secrets.stageKey('www', orderUrl, privateKey).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'UnexpectedError', message: expect.stringContaining('[PEM block]') });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toContain('b3Vycw==');
  });
});

describe('a staged key', () => {
  test('is null for an order that staged none', async () => {
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await secrets.stagedKey('www', orderUrl)).toBeNull();
  });

  test.each([
    ['of another order', JSON.stringify({ format: 1, orderUrl: 'https://ca.example/order/2', privateKey })],
    ['that is not JSON', privateKey],
    ['without a key', JSON.stringify({ format: 1, orderUrl })],
    ['that is no object', 'null'],
  ])('%s is unreadable, and the error shows none of it', async (_, SecretString) => {
    sdk.on(GetSecretValueCommand).resolves({ SecretString });
    const thrown = await secrets.stagedKey('www', orderUrl).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'UnreadableSecretError', message: expect.stringContaining(SecretId) });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(/PRIVATE KEY|b3Vycw/);
  });
});

describe('putting a certificate', () => {
  test("makes the order's second version, and leaves AWSCURRENT where it is", async () => {
    sdk.on(PutSecretValueCommand).resolves({});
    expect(await secrets.putCertificate('www', orderUrl, value)).toBe(certificateVersion);
    expect(sdk).toHaveReceivedCommandExactlyOnceWith(PutSecretValueCommand, {
      SecretId,
      ClientRequestToken: certificateVersion,
      SecretString: JSON.stringify(value),
      VersionStages: ['CANDIDATE'],
    });
    expect(sdk).not.toHaveReceivedCommand(UpdateSecretVersionStageCommand);
  });

  test('lets what is stored for the order stand', async () => {
    sdk.on(PutSecretValueCommand).rejects(awsError('ResourceExistsException'));
    expect(await secrets.putCertificate('www', orderUrl, value)).toBe(certificateVersion);
  });

  test('is refused over 64 KB, before AWS is asked', async () => {
    const chain = 'x'.repeat(65_536);
    await expect(secrets.putCertificate('www', orderUrl, { ...value, chain })).rejects.toThrow(
      /The value for secret certificates\/www has \d+ bytes, and Secrets Manager takes 65536/,
    );
    expect(sdk).not.toHaveReceivedCommand(PutSecretValueCommand);
  });
});

describe('a reused key that was compromised after it was staged', () => {
  const fresh = sha256(`${orderUrl}#fresh key`);
  const otherOrder = sha256('https://ca.example/order/0#certificate');
  const stagedAs = (VersionId: string, key: string) =>
    sdk.on(GetSecretValueCommand, { SecretId, VersionId }).resolves({
      SecretString: JSON.stringify({ format: 1, orderUrl, privateKey: key }),
    });
  beforeEach(() => {
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { [otherOrder]: ['COMPROMISED'] } });
    sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    sdk
      .on(GetSecretValueCommand, { SecretId, VersionId: otherOrder })
      .resolves({ SecretString: JSON.stringify(value) });
    stagedAs(keyVersion, privateKey);
  });

  test('is not given out, and the error shows nothing of it', async () => {
    const error = await secrets.stagedKey('www', orderUrl).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'CompromisedKeyError', message: expect.stringContaining(orderUrl) });
    expect(inspect(error)).not.toContain('b3Vycw==');
  });

  test('makes place for a new one, staged for the same order', async () => {
    sdk
      .on(PutSecretValueCommand, { ClientRequestToken: keyVersion })
      .rejects(awsError('ResourceExistsException'))
      .on(PutSecretValueCommand, { ClientRequestToken: fresh })
      .resolves({});
    expect(await secrets.stageKey('www', orderUrl, theirKey)).toBe(theirKey);
  });

  test('makes place for the new one of whoever was faster', async () => {
    sdk.on(PutSecretValueCommand).rejects(awsError('ResourceExistsException'));
    stagedAs(fresh, theirKey);
    expect(await secrets.stageKey('www', orderUrl, 'a third')).toBe(theirKey);
    expect(await secrets.stagedKey('www', orderUrl)).toBe(theirKey);
  });

  test('is no reason to refuse another key', async () => {
    stagedAs(keyVersion, theirKey);
    expect(await secrets.stagedKey('www', orderUrl)).toBe(theirKey);
  });
});

describe('making a version current', () => {
  test('moves AWSCURRENT in one call, from the version that has it', async () => {
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { [placeholder]: ['AWSCURRENT'] } });
    sdk.on(UpdateSecretVersionStageCommand).resolves({ ARN: arn });
    expect(await secrets.makeCurrent('www', certificateVersion)).toEqual({ arn, first: true });
    expect(sdk).toHaveReceivedCommandExactlyOnceWith(UpdateSecretVersionStageCommand, {
      SecretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: certificateVersion,
      RemoveFromVersionId: placeholder,
    });
  });

  test('tells a certificate that replaces another from the first one', async () => {
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { before: ['AWSCURRENT'] } });
    sdk.on(UpdateSecretVersionStageCommand).resolves({ ARN: arn });
    expect(await secrets.makeCurrent('www', certificateVersion)).toEqual({ arn, first: false });
  });

  test('moves nothing when it is there', async () => {
    sdk.on(DescribeSecretCommand).resolves({ ARN: arn, VersionIdsToStages: { [certificateVersion]: ['AWSCURRENT'] } });
    expect(await secrets.makeCurrent('www', certificateVersion)).toEqual({ arn, first: false });
    expect(sdk).not.toHaveReceivedCommand(UpdateSecretVersionStageCommand);
  });

  test('is content when another moved it there meanwhile', async () => {
    sdk
      .on(DescribeSecretCommand)
      .resolvesOnce({ ARN: arn, VersionIdsToStages: { [placeholder]: ['AWSCURRENT'] } })
      .resolves({ ARN: arn, VersionIdsToStages: { [certificateVersion]: ['AWSCURRENT'] } });
    sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException'));
    expect(await secrets.makeCurrent('www', certificateVersion)).toEqual({ arn, first: true });
  });

  test('fails when another moved it elsewhere', async () => {
    sdk
      .on(DescribeSecretCommand)
      .resolvesOnce({ ARN: arn, VersionIdsToStages: { [placeholder]: ['AWSCURRENT'] } })
      .resolves({ ARN: arn, VersionIdsToStages: { other: ['AWSCURRENT'] } });
    sdk.on(UpdateSecretVersionStageCommand).rejects(awsError('InvalidParameterException', 'It is not there.'));
    await expect(secrets.makeCurrent('www', certificateVersion)).rejects.toThrow(
      'secretsmanager:UpdateSecretVersionStage on secret certificates/www failed. InvalidParameterException: It is not there.',
    );
  });
});

describe('reading the current certificate', () => {
  test('gives value, version and ARN', async () => {
    sdk
      .on(GetSecretValueCommand, { SecretId, VersionStage: 'AWSCURRENT' })
      .resolves({ ARN: arn, VersionId: certificateVersion, SecretString: JSON.stringify(value) });
    expect(await secrets.readCurrent('www')).toEqual({ arn, versionId: certificateVersion, value, compromised: false });
  });

  test.each([
    ['does not exist', { rejects: true }],
    ['is still empty', { VersionId: placeholder, SecretString: '{"format":0,"status":"none"}' }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, format: 2 }) }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, privateKey: 7 }) }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, identifiers: 'a' }) }],
    ['is of another format', { VersionId: 'v', SecretString: JSON.stringify({ ...value, keyType: 'DSA' }) }],
    ['is of another format', { VersionId: 'v', SecretString: privateKey }],
  ])('says that it %s', async (found, reply) => {
    if ('rejects' in reply) sdk.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException'));
    else sdk.on(GetSecretValueCommand).resolves(reply);
    const thrown = await secrets.readCurrent('www').catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      name: 'UnreadableSecretError',
      message: expect.stringContaining(`The current version of secret certificates/www ${found}`),
    });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(/PRIVATE KEY|b3Vycw/);
  });

  test('is a throttle when Secrets Manager is busy', async () => {
    sdk.on(GetSecretValueCommand).rejects(awsError('ThrottlingException'));
    await expect(secrets.readCurrent('www')).rejects.toMatchObject({ name: 'ThrottledError' });
  });
});

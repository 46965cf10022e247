import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAcme } from '../../lambdas/adapters/acme/acme.ts';
import { createAccountSecrets } from '../../lambdas/adapters/aws/secrets-manager/account-secrets.ts';
import type { AcmeAccount } from '../../lambdas/domain/ports/account-secrets.ts';
import { startExecution } from '../../local/executions.ts';
import { issuer as anyIssuer } from '../fakes/specs.ts';
import { createStack } from '../local/stack.ts';
import { type Deployed, deployed } from './deployed.ts';

let d: Deployed;
let secrets: SecretsManagerClient;
let keyArn: string;

beforeAll(async () => {
  d = await deployed(
    async (local) => {
      const { Key: key } = await createStack(local, 'Key', { Key: { Type: 'AWS::KMS::Key', Properties: {} } });
      keyArn = `arn:aws:kms:${local.clientConfig.region}:000000000000:key/${key}`;
      return {
        zones: ['example.com'],
        issuer: { name: 'pebble' },
        encryptionKey: keyArn,
        certificates: [{ name: 'pinned', identifiers: ['pinned.example.com'], reuseKey: true, acm: ['us-east-1'] }],
      };
    },
    { pebble: { chaos: { validationSleep: false } } },
  );
  secrets = new SecretsManagerClient(d.local.clientConfig);
});
afterAll(async () => {
  await d?.stop();
});

const output = (name: string) => Object.entries(d.outputs).find(([key]) => key.endsWith(name))?.[1] ?? '';
const request = async (input: unknown) => d.ended(await startExecution(d.local, output('AccountsArn'), input));
const account = async (): Promise<AcmeAccount> => {
  const accounts = createAccountSecrets({ prefix: 'certificates-accounts/', stackTag: 'Perennial', client: secrets });
  const found = await accounts.read(d.local.pebble.directoryUrl);
  if (!found) throw new Error('The account secret contains no account.');
  return found;
};
const statusOf = async (certificate: string) => {
  const { serialNumber } = new X509Certificate(certificate);
  const reply = await d.local.pebble.manage('GET', `/cert-status-by-serial/${serialNumber.toLowerCase()}`);
  return (JSON.parse(reply) as { readonly Status: string }).Status;
};

test('a deployment registers the account', async () => {
  const sfn = new SFNClient(d.local.clientConfig);
  const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: output('AccountsArn') }));
  const ended = await d.ended(executions?.[0]?.executionArn ?? '');
  expect(ended).toMatchObject({ status: 'SUCCEEDED', error: undefined });
  expect((await account()).url).toContain(new URL(d.local.pebble.directoryUrl).host);
});

test('new secrets are encrypted with the KMS key of the config', async () => {
  const described = await secrets.send(new DescribeSecretCommand({ SecretId: 'certificates/pinned' }));
  expect(described.KmsKeyId).toBe(keyArn);
});

test('a key rollover gives the account a new key under the same URL, and orders work with it', async () => {
  const before = await account();
  expect(await request({ action: 'rollOverKey', issuer: 'pebble' })).toMatchObject({
    status: 'SUCCEEDED',
    output: { account: before.url },
  });
  const after = await account();
  expect(after.url).toBe(before.url);
  expect(after.privateKey).not.toBe(before.privateKey);
  expect(after.nextPrivateKey).toBeUndefined();
  expect(await d.renew({ certificate: 'pinned', force: true })).toMatchObject({ status: 'SUCCEEDED' });
});

describe('a compromised key', () => {
  test('revokes all its certificates, and a certificate with a new key is delivered at once', async () => {
    const pinned = await d.secret('pinned');
    const ended = await request({ action: 'revoke', certificate: 'pinned', reason: 'keyCompromise' });
    expect(ended).toMatchObject({ status: 'SUCCEEDED' });
    const { revoked, renewal } = ended.output as { readonly revoked: readonly string[]; readonly renewal: string };
    expect(revoked).toHaveLength(2);
    expect(await statusOf(pinned.certificate)).toBe('Revoked');

    expect(await d.ended(renewal)).toMatchObject({ status: 'SUCCEEDED', error: undefined });
    const replaced = await d.secret('pinned');
    const publicKey = (pem: string) => createPublicKey(pem).export({ type: 'spki', format: 'pem' });
    expect(publicKey(replaced.privateKey)).not.toBe(publicKey(pinned.privateKey));
    expect(await statusOf(replaced.certificate)).toBe('Valid');
    const { current, deliveries } = await d.ledger('pinned');
    expect(deliveries['us-east-1']?.versionId).toBe(current?.versionId);
  });
});

test('a certificate that is revoked for another reason is revoked with the account key and replaced', async () => {
  const before = await d.secret('pinned');
  const ended = await request({ action: 'revoke', certificate: 'pinned', reason: 'superseded' });
  expect(ended).toMatchObject({ status: 'SUCCEEDED' });
  expect(await statusOf(before.certificate)).toBe('Revoked');
  const { renewal } = ended.output as { readonly renewal: string };
  expect(await d.ended(renewal)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await statusOf((await d.secret('pinned')).certificate)).toBe('Valid');
});

test('a registration after a deactivation creates a new account with a new key', async () => {
  const before = await account();
  expect(await request({ action: 'deactivate', issuer: 'pebble' })).toMatchObject({ status: 'SUCCEEDED' });
  expect((await account()).url).toBeNull();
  expect(await request({ action: 'register' })).toMatchObject({ status: 'SUCCEEDED' });
  const after = await account();
  expect(after.url).not.toBe(before.url);
  expect(after.privateKey).not.toBe(before.privateKey);
});

test('an account that the CA accepts has no link', async () => {
  expect(await request({ action: 'accountLink', certificate: 'pinned' })).toMatchObject({
    status: 'SUCCEEDED',
    output: { certificate: 'pinned', issuer: 'pebble', link: null },
  });
});

test('an account that was deactivated outside this stack is reported by a registration, and replaced after its secret is deleted', async () => {
  const { url, privateKey } = await account();
  const { directoryUrl, trustedRoots } = d.local.pebble;
  const acme = createAcme({ userAgent: 'test', now: () => new Date(), trustedRoots: { [directoryUrl]: trustedRoots } });
  const issuer = { ...anyIssuer, directoryUrl };
  await acme.deactivate(issuer, { url: url ?? '', privateKey });
  acme.close();
  expect(await request({ action: 'register' })).toMatchObject({
    status: 'FAILED',
    error: 'AccountNotValidError',
    cause: expect.stringMatching(/no usable account at pebble\. .*deactivated/),
  });
  const directory = createHash('sha256').update(directoryUrl).digest('hex').slice(0, 8);
  const SecretId = `certificates-accounts/${new URL(directoryUrl).hostname}-${directory}`;
  await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
  expect(await request({ action: 'register' })).toMatchObject({ status: 'SUCCEEDED' });
  expect((await account()).url).not.toBe(url);
});

describe('the secret of an account', () => {
  const secretId = () => {
    const { directoryUrl } = d.local.pebble;
    const hash = createHash('sha256').update(directoryUrl).digest('hex').slice(0, 8);
    return `certificates-accounts/${new URL(directoryUrl).hostname}-${hash}`;
  };
  const storedValue = async (SecretId: string) =>
    (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '';

  test('that is scheduled for deletion is reported with the command that restores it', async () => {
    const SecretId = secretId();
    await secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
    const failed = await request({ action: 'register' });
    expect(failed).toMatchObject({ error: 'SecretDeletedError', cause: expect.stringContaining('restore-secret') });
    await secrets.send(new RestoreSecretCommand({ SecretId }));
    expect((await account()).url).not.toBeNull();
  });

  test('with a key that this stack has not made is refused', async () => {
    const SecretId = secretId();
    const own = await storedValue(SecretId);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const SecretString = JSON.stringify({ ...JSON.parse(own), privateKey: pem, url: null });
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
    expect(await request({ action: 'register' })).toMatchObject({ status: 'FAILED', error: 'AccountKeyUnknownError' });
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: own }));
    expect(await request({ action: 'register' })).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('that this stack did not create is not read', async () => {
    const SecretId = secretId();
    const SecretString = await storedValue(SecretId);
    await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
    await secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString }));
    const refused = await request({ action: 'register' });
    expect(refused).toMatchObject({ status: 'FAILED', error: 'SecretNotOwnedError' });
    expect(refused.cause).toContain(`delete-secret --secret-id ${SecretId} --force-delete-without-recovery`);
    await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
    expect(await request({ action: 'register' })).toMatchObject({ status: 'SUCCEEDED' });
  });
});

test('a request for an unknown issuer fails and names the issuer', async () => {
  expect(await request({ action: 'rollOverKey', issuer: 'unknown-ca' })).toMatchObject({
    status: 'FAILED',
    error: 'UnknownIssuerError',
    cause: expect.stringContaining('unknown-ca'),
  });
});

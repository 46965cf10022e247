import { ACMClient } from '@aws-sdk/client-acm';
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ChangeResourceRecordSetsCommand, type ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { DeleteSecretCommand, DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAcmCertificates } from '../../../../lambdas/adapters/aws/acm/acm-certificates.ts';
import { createLedger } from '../../../../lambdas/adapters/aws/dynamodb/ledger.ts';
import { createHostedZones } from '../../../../lambdas/adapters/aws/route-53/hosted-zones.ts';
import { createAccountSecrets } from '../../../../lambdas/adapters/aws/secrets-manager/account-secrets.ts';
import { createCertificateSecrets } from '../../../../lambdas/adapters/aws/secrets-manager/certificate-secrets.ts';
import { createNameServers } from '../../../../lambdas/adapters/dns/name-servers.ts';
import type { CertificateSecretValue } from '../../../../lambdas/domain/contract/certificate-secret.ts';
import type { Ledger } from '../../../../lambdas/domain/ports/ledger.ts';
import { createHostedZone } from '../../../../local/deploy.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../../../../local/environment.ts';
import { makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../../fakes/certificates.ts';
import { ledgerBehaviour } from './dynamodb/ledger-behaviour.ts';

/** The adapters against the services of the local environment: what a mock cannot tell, such as whether a condition holds. */
let local: LocalEnvironment;
beforeAll(async () => {
  local = await startLocalEnvironment();
});
afterAll(() => local?.stop());

const now = new Date('2027-01-01T06:00:00.000Z');

describe('the ledger', () => {
  let client: DynamoDBClient;
  let ledger: Ledger;
  beforeAll(async () => {
    client = new DynamoDBClient(local.clientConfig);
    await client.send(
      new CreateTableCommand({
        TableName: 'ledger',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    ledger = createLedger({ table: 'ledger', client });
  });

  const item = async (id: string) =>
    (await client.send(new GetItemCommand({ TableName: 'ledger', Key: { id: { S: id } } }))).Item ?? {};

  test('leaves no list of sets in the item of a certificate that was released', async () => {
    const run = { certificate: 'www', execution: 'me' };
    await ledger.takeLease({ certificate: 'www' }, run, now);
    await ledger.takeLease({ set: 'hash' }, run, now);
    expect(await item('certificate#www')).toMatchObject({ sets: { SS: ['hash'] } });
    await ledger.release('www', 'me');
    expect(Object.keys(await item('certificate#www')).toSorted()).toEqual(['deliveries', 'id']);
    expect(Object.keys(await item('set#hash')).toSorted()).toEqual(['certificate', 'id']);
  });

  test('makes no item for an issue that was never counted', async () => {
    await ledger.refundIssue('never', 'https://ca.example/order/1');
    expect(await item('set#never')).toEqual({});
  });

  test('keeps failed validations for an hour, and lets DynamoDB delete the item a day after the last', async () => {
    const count = (time: string) =>
      ledger.countIdentifierFailures('https://ca.example/', ['example.com'], new Date(time));
    await count('2027-01-01T04:59:59.000Z');
    await count('2027-01-01T05:30:00.000Z');
    await count('2027-01-01T06:00:00.000Z');
    const { failures, expires } = await item('failures#https://ca.example/#example.com');
    expect(failures?.SS?.toSorted()).toEqual(['2027-01-01T05:30:00.000Z', '2027-01-01T06:00:00.000Z']);
    expect(expires).toEqual({ N: String(Date.parse('2027-01-02T06:00:00.000Z') / 1000) });
  });

  describe('as its fake', () => ledgerBehaviour(() => ledger));
});

describe('certificate secrets', () => {
  const value: CertificateSecretValue = {
    format: 1,
    certificate: 'leaf',
    chain: 'issuers',
    fullChain: 'leafissuers',
    privateKey: 'key',
    identifiers: ['example.com'],
    serialNumber: '04A1',
    notBefore: '2027-01-01T00:00:00Z',
    notAfter: '2027-04-01T00:00:00Z',
    issuer: 'CN=Example CA',
    keyType: 'P-256',
    directoryUrl: 'https://ca.example/directory',
    profile: null,
  };
  const orderUrl = 'https://ca.example/order/1';

  test('go from placeholder to staged key to certificate, each written once and read whole', async () => {
    const client = new SecretsManagerClient(local.clientConfig);
    const secrets = createCertificateSecrets({ prefix: 'certificates/', stackTag: 'Perennial', client });
    expect(await secrets.describe('www')).toBeNull();
    await secrets.create('www');
    await secrets.create('www');
    expect(await secrets.describe('www')).toMatchObject({ ours: true, deletedAt: null, currentVersion: null });
    await expect(secrets.readCurrent('www')).rejects.toThrow('is still empty');

    expect(await secrets.stagedKey('www', orderUrl)).toBeNull();
    const staged = await Promise.all(['a', 'b', 'c'].map((key) => secrets.stageKey('www', orderUrl, key)));
    expect(new Set(staged).size).toBe(1);
    expect(await secrets.stagedKey('www', orderUrl)).toBe(staged[0]);
    expect(await secrets.describe('www')).toMatchObject({ currentVersion: null });

    const versionId = await secrets.putCertificate('www', orderUrl, value);
    expect(await secrets.putCertificate('www', orderUrl, { ...value, issuer: 'CN=Late' })).toBe(versionId);
    expect(await secrets.describe('www')).toMatchObject({ currentVersion: null });
    const { arn, first } = await secrets.makeCurrent('www', versionId);
    expect(first).toBe(true);
    expect(await secrets.makeCurrent('www', versionId)).toEqual({ arn, first: false });
    expect(await secrets.readCurrent('www')).toEqual({ arn, versionId, value, compromised: false });
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: 'certificates/www' }));
    expect(VersionIdsToStages?.[versionId]?.toSorted()).toEqual(['AWSCURRENT', 'CANDIDATE']);

    await client.send(new DeleteSecretCommand({ SecretId: 'certificates/www' }));
    for (const refused of [
      () => secrets.create('www'),
      () => secrets.stageKey('www', 'https://ca.example/order/2', 'd'),
      () => secrets.readCurrent('www'),
    ]) {
      await expect(refused()).rejects.toMatchObject({ name: 'SecretDeletedError' });
    }
  });
});

test('two that create an account at once end with one key, and its URL is saved once', async () => {
  const accounts = createAccountSecrets({
    prefix: 'certificates-accounts/',
    stackTag: 'Perennial',
    client: new SecretsManagerClient(local.clientConfig),
  });
  const directoryUrl = 'https://127.0.0.2:14000/dir';
  expect(await accounts.read(directoryUrl)).toBeNull();
  const [ours, theirs] = await Promise.all(['k1', 'k2'].map((key) => accounts.create(directoryUrl, key)));
  if (!ours || !theirs) throw new Error('No account was made.');
  expect(ours).toEqual(theirs);
  const url = 'https://127.0.0.2:14000/my-account/1';
  const [saved, again] = await Promise.all([ours, theirs].map((each) => accounts.saveUrl(directoryUrl, each, url)));
  expect(saved).toEqual(again);
  expect(await accounts.read(directoryUrl)).toEqual({ privateKey: ours.privateKey, url, version: saved?.version });
});

test('a TXT set is swapped only as it was read, and its name server shows it', async () => {
  const client = new Route53Client(local.clientConfig);
  const hostedZones = createHostedZones({ client });
  const zone = await createHostedZone(local, 'example.test');
  const name = '_acme-challenge.example.test';
  const create = (ResourceRecordSet: ResourceRecordSet) => ({ Action: 'CREATE' as const, ResourceRecordSet });
  const Changes = [
    create({ Name: name, Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] }),
    create({
      Name: `_acme-challenge.c.example.test`,
      Type: 'CNAME',
      TTL: 60,
      ResourceRecords: [{ Value: 'x.example.test' }],
    }),
  ];
  await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }));
  expect(await hostedZones.readTxt(zone, name)).toBeNull();
  expect(await hostedZones.readTxt(zone, '_acme-challenge.c.example.test')).toMatchObject({
    unsuitable: 'a CNAME to x.example.test stands there',
  });

  const after = { name, ttl: 60, values: ['"one"', '"two"'], unsuitable: null };
  const changed = await hostedZones.change(zone, [{ name, before: null, after }]);
  if ('refused' in changed) throw new Error(changed.refused);
  expect(await hostedZones.change(zone, [{ name, before: null, after }])).toMatchObject({
    refused: expect.stringContaining('already exists'),
  });
  const pending = { hostedZoneId: zone, id: changed.id };
  expect(await hostedZones.pendingChanges([pending])).toEqual([pending]);
  expect(await hostedZones.pendingChanges([pending])).toEqual([]);

  const before = await hostedZones.readTxt(zone, name);
  if (!before) throw new Error('The set was not found.');
  expect(before).toEqual({ ...after, name: `${name}.` });
  expect(await hostedZones.change(zone, [{ name, before: { ...before, ttl: 61 }, after: null }])).toHaveProperty(
    'refused',
  );
  const left = { ...before, values: ['"two"'] };
  expect(await hostedZones.change(zone, [{ name, before, after: left }])).toHaveProperty('id');

  const [server = ''] = await hostedZones.nameServers(zone);
  expect(await createNameServers().txt(server, name)).toEqual(['two']);
  expect(await createNameServers().txt(server, 'nothing.example.test')).toEqual([]);
});

test('an import is found by its tags, renewed over its ARN, and told apart from a key of another type', async () => {
  const clientFor = (region: string) => new ACMClient({ ...local.clientConfig, region });
  const acm = createAcmCertificates({ stackTag: 'Perennial', secretsTag: 'us-east-1/certificates/', clientFor });
  const authority = await makeAuthority({ name: 'Example CA' });
  const day = 86_400_000;
  const issue = async (privateKey: string, identifiers = ['www.example.test', 'example.test']) => ({
    privateKey,
    chain: pemOf(authority.certificate),
    certificate: await makeLeaf(authority, {
      identifiers,
      privateKey,
      notBefore: new Date(Date.now() - day).toISOString(),
      notAfter: new Date(Date.now() + 30 * day).toISOString(),
    }),
  });
  const [pem, larger] = [await issue(makePrivateKey()), await issue(makePrivateKey('P-384'))];
  const find = (certificate: string, keyType: 'P-256' | 'P-384') =>
    acm.find('eu-central-1', certificate, ['www.example.test'], keyType);

  expect(await find('www', 'P-256')).toBeNull();
  const first = await acm.import('eu-central-1', 'www', pem, null);
  if (typeof first === 'string') throw new Error(first);
  expect(await find('www', 'P-256')).toBe(first.arn);
  expect(await find('www', 'P-384')).toBeNull();
  expect(await find('other', 'P-256')).toBeNull();
  expect(await acm.import('eu-central-1', 'www', await issue(makePrivateKey()), first.arn)).toEqual(first);
  expect(await acm.import('eu-central-1', 'www', larger, first.arn)).toBe('keyChanged');
  const renamed = await issue(makePrivateKey(), ['other.example.test']);
  expect(await acm.import('eu-central-1', 'www', renamed, first.arn)).toBe('namesChanged');
  await expect(
    acm.import('eu-central-1', 'www', { ...pem, privateKey: larger.privateKey }, first.arn),
  ).rejects.toMatchObject({
    name: 'ImportRefusedError',
  });
});

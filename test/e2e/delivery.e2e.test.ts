import { X509Certificate } from 'node:crypto';
import {
  ACMClient,
  DeleteCertificateCommand,
  GetCertificateCommand,
  ListCertificatesCommand,
} from '@aws-sdk/client-acm';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteRolePolicyCommand, IAMClient, ListRolesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateConfig } from '../../infra/config/certificate-config.ts';
import type { CertificateChangedOutside, CertificateRenewed } from '../../lambdas/domain/contract/events.ts';
import { dueComparisons } from '../../lambdas/domain/rules/renewal/comparison-schedule.ts';
import { watchRenewal } from '../../local/demo/renewals.ts';
import { type Deployed, deployed } from './deployed.ts';
import { eventually, reaches, requestsOfOrders, scaleWaits } from './observed.ts';

const regions = ['ap-south-1', 'eu-west-1', 'us-east-1'] as const;
const zones = ['example.com'];
const three: CertificateConfig = {
  name: 'three',
  identifiers: ['three.example.com'],
  acm: regions,
  // The tests renew it more than twice.
  ignoreIssueCap: true,
};

/** Other files test validation, so it is as fast as possible here. */
const chaos = { validationSleep: false };

let d: Deployed;
afterAll(async () => {
  await d?.stop();
});

const acmIn = (region: string, of = d) => new ACMClient({ ...of.local.clientConfig, region });
const arnsOf = async (name: string, of = d): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries((await of.ledger(name)).deliveries).map(([region, { arn }]) => [region, arn]));
/** Returns the serial number of the certificate with this ARN in ACM, in lower-case hexadecimal. */
async function served(region: string, arn = '', of = d): Promise<string> {
  const { Certificate } = await acmIn(region, of).send(new GetCertificateCommand({ CertificateArn: arn }));
  return new X509Certificate(Certificate ?? '').serialNumber.toLowerCase();
}
async function listed(region: string, of = d): Promise<(string | undefined)[]> {
  const keyTypes = ['EC_prime256v1' as const, 'EC_secp384r1' as const, 'RSA_2048' as const];
  const { CertificateSummaryList: list = [] } = await acmIn(region, of).send(
    new ListCertificatesCommand({ Includes: { keyTypes } }),
  );
  return list.map(({ CertificateArn }) => CertificateArn).toSorted();
}
const eventsOf = async (name: string) =>
  (await d.local.aws.busEvents())
    .filter(({ detail }) => (detail as { certificate?: string }).certificate === name)
    .map(({ detailType, detail }) => ({ detailType, detail: detail as CertificateRenewed }));
const lastRenewed = async (name: string): Promise<CertificateRenewed | undefined> =>
  (await eventsOf(name)).findLast(({ detailType }) => detailType === 'Certificate Renewed')?.detail;
/** Returns the id of the version of a certificate's secret that has this label. */
async function labelled(name: string, label: string): Promise<string> {
  const [version] = Object.entries(await d.stages(name)).flatMap(([id, labels]) => (labels.includes(label) ? id : []));
  return version ?? '';
}
/** Runs the fleet as if no certificate had been compared for a day. */
async function compareAll(): Promise<void> {
  // Each certificate is compared at its own time of day. None of these times may come before the next fleet run of the test.
  const names = ['three', 'mixed', ...changed.map(({ name }) => name)];
  await eventually('A minute in which no comparison is due', async () => {
    const now = new Date();
    return dueComparisons(names, now, new Date(now.getTime() + 60_000)).length === 0 ? true : undefined;
  });
  const table = Object.entries(d.outputs).find(([key]) => key.endsWith('LedgerTable'))?.[1];
  await new DynamoDBClient(d.local.clientConfig).send(
    new UpdateItemCommand({
      TableName: table,
      Key: { id: { S: 'fleet' } },
      UpdateExpression: 'SET comparedUntil = :yesterday',
      ExpressionAttributeValues: { ':yesterday': { S: new Date(Date.now() - 86_400_000).toISOString() } },
    }),
  );
  expect(await d.fleet()).toMatchObject({ status: 'SUCCEEDED' });
  await d.idle();
}
/** Returns certificate and kind of each change that was published, in the order of names. */
async function changesReported(): Promise<(readonly [string, string])[]> {
  const details = (await d.local.aws.busEvents())
    .filter(({ detailType }) => detailType === 'Certificate Changed Outside Perennial')
    .map(({ detail }) => detail as CertificateChangedOutside);
  return details
    .flatMap(({ certificate, changes }) => changes.map(({ kind }) => [certificate, kind] as const))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
async function renewed(): Promise<void> {
  const { status, cause } = await d.renew({ certificate: 'three', force: true });
  expect({ status, cause }).toEqual({ status: 'SUCCEEDED', cause: undefined });
}

/** Certificates whose secrets a test changes by hand. */
const changed: CertificateConfig[] = ['gone', 'moved', 'foreign'].map((name) => ({
  name,
  identifiers: [`${name}.example.com`],
}));

describe('a CA with only ECDSA keys', () => {
  const mixed: CertificateConfig = {
    name: 'mixed',
    identifiers: ['mixed.example.com'],
    keyType: 'RSA-2048',
    acm: ['us-east-1'],
  };

  beforeAll(async () => {
    const certificates = [three, mixed, ...changed];
    d = await deployed({ zones, certificates }, { pebble: { chaos, keyAlgorithm: 'ecdsa' } });
    await d.idle();
  });

  test('issues a certificate that is imported into three regions with an ARN in each', async () => {
    const { serialNumber, chain } = await d.secret('three');
    const arns = await arnsOf('three');
    expect(Object.keys(arns).toSorted()).toEqual(regions.toSorted());
    for (const region of regions) {
      expect(await served(region, arns[region]), region).toBe(serialNumber);
      const command = new GetCertificateCommand({ CertificateArn: arns[region] });
      expect((await acmIn(region).send(command)).CertificateChain?.trim()).toBe(chain.trim());
    }
    const event = await lastRenewed('three');
    expect(event?.deliveries.map(({ region, arn, action }) => [region, arn, action])).toEqual(
      regions.map((region) => [region, arns[region], null]),
    );
  });

  test('issues a certificate with an RSA key that is not imported, and the error says which keyType to set', async () => {
    const { failure, current, deliveries } = await d.ledger('mixed');
    expect(failure?.error).toBe('ImportRefusedError');
    for (const words of ['RSA-2048', 'ECDSA', "keyType to 'P-256'"]) expect(failure?.cause).toContain(words);
    expect({ stored: current?.keyType, deliveries }).toEqual({ stored: 'RSA-2048', deliveries: {} });
    expect((await eventsOf('mixed')).map(({ detailType, detail }) => [detailType, detail.deliveries])).toEqual([
      ['Certificate Renewed', []],
      ['Certificate Renewal Failed', undefined],
    ]);
    const imports = (await d.local.aws.apiCalls()).filter(({ operation }) => operation === 'ImportCertificate');
    expect(imports.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('issues a certificate whose failed import the demo shows with its error', async () => {
    const { signal } = new AbortController();
    const watched = watchRenewal(d.local, { certificate: 'mixed', among: 1, signal, onState: () => undefined });
    await expect(watched).rejects.toThrow(/^The renewal of mixed failed after \d+\.\d s: ImportRefusedError\n/);
  });

  test('issues a certificate that is delivered and announced in the other regions if one fails, and the next attempt imports only there', async () => {
    const before = await arnsOf('three');
    const iam = new IAMClient(d.local.clientConfig);
    const { Roles: roles = [] } = await iam.send(new ListRolesCommand({ MaxItems: 1000 }));
    const RoleName = roles.find((role) => role.RoleName?.includes('DeliveryRole'))?.RoleName;
    const policy = { RoleName, PolicyName: 'not-in-ap-south-1' };
    const deny = { Effect: 'Deny', Action: 'acm:*', Resource: 'arn:aws:acm:ap-south-1:*:certificate/*' };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [deny] });
    await iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument }));
    const eventsBefore = (await eventsOf('three')).length;

    await scaleWaits(d, 0.03);
    const proceed = await d.local.aws.holdState('Wait for next attempt');
    const arn = await d.start({ certificate: 'three', force: true });
    await reaches(d, arn, 'Wait for next attempt');
    const { serialNumber } = await d.secret('three');
    const ledger = await d.ledger('three');
    await iam.send(new DeleteRolePolicyCommand(policy));
    expect(ledger.failure).toMatchObject({ error: 'AccessDeniedError', cause: expect.stringContaining('ap-south-1') });
    for (const region of ['us-east-1', 'eu-west-1']) expect(await served(region, before[region])).toBe(serialNumber);

    const [mark, orders] = [(await d.local.aws.apiCalls()).length, d.local.pebble.requests().length];
    await proceed();
    expect(await d.ended(arn)).toMatchObject({ status: 'SUCCEEDED' });
    await scaleWaits(d, 1);
    const calls = (await d.local.aws.apiCalls(mark)).filter(({ operation }) => operation === 'ImportCertificate');
    expect(calls).toHaveLength(1);
    expect(requestsOfOrders(d, orders)).toBe(0);
    expect(await served('ap-south-1', before['ap-south-1'])).toBe(serialNumber);
    expect(await arnsOf('three')).toEqual(before);
    const events = (await eventsOf('three')).slice(eventsBefore);
    expect(
      events.map(({ detailType, detail }) => [detailType, detail.deliveries?.map(({ region }) => region)]),
    ).toEqual([
      ['Certificate Renewed', ['eu-west-1', 'us-east-1']],
      ['Certificate Renewal Failed', undefined],
      ['Certificate Renewed', regions],
    ]);
  });

  test('issues a certificate that gets a new ARN if its old one was deleted, and the event says what to do', async () => {
    const before = await arnsOf('three');
    await acmIn('eu-west-1').send(new DeleteCertificateCommand({ CertificateArn: before['eu-west-1'] }));
    await renewed();
    const after = await arnsOf('three');
    expect(after).toEqual({ ...before, 'eu-west-1': expect.not.stringContaining(before['eu-west-1'] ?? '') });
    const { serialNumber } = await d.secret('three');
    for (const region of regions) expect(await served(region, after[region]), region).toBe(serialNumber);
    const { deliveries } = (await lastRenewed('three')) ?? {};
    expect(deliveries?.map(({ replaces }) => replaces)).toEqual([null, before['eu-west-1'], null]);
    expect(deliveries?.map(({ action }) => action)).toEqual([null, expect.any(String), null]);
    for (const words of [before['eu-west-1'], after['eu-west-1'], 'deleted'])
      expect(deliveries?.[1]?.action).toContain(words);
    expect(await listed('eu-west-1')).toEqual([after['eu-west-1']]);
  });

  test('has its changes made by hand found by the comparison of the next fleet run, which starts what is missing', async () => {
    const secrets = new SecretsManagerClient(d.local.clientConfig);
    await d.renew({ certificate: 'moved', force: true });
    const before = { gone: await d.secret('gone'), three: await d.secret('three'), arns: await arnsOf('three') };
    const [earlier, current] = [await labelled('moved', 'AWSPREVIOUS'), await labelled('moved', 'AWSCURRENT')];
    await secrets.send(new DeleteSecretCommand({ SecretId: 'certificates/gone', ForceDeleteWithoutRecovery: true }));
    await secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId: 'certificates/moved',
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: earlier,
        RemoveFromVersionId: current,
      }),
    );
    await secrets.send(new PutSecretValueCommand({ SecretId: 'certificates/foreign', SecretString: '"mine"' }));
    await acmIn('eu-west-1').send(new DeleteCertificateCommand({ CertificateArn: before.arns['eu-west-1'] }));

    await compareAll();
    expect(await d.secret('gone')).toMatchObject({ format: 1, identifiers: before.gone.identifiers });
    expect((await d.secret('gone')).serialNumber).not.toBe(before.gone.serialNumber);
    expect((await d.ledger('moved')).current?.versionId).toBe(earlier);
    expect(await labelled('moved', 'AWSCURRENT')).toBe(earlier);
    expect(await d.secret('foreign')).toBe('mine');
    expect((await d.ledger('foreign')).current?.versionId).not.toBe(await labelled('foreign', 'AWSCURRENT'));
    const after = await arnsOf('three');
    expect(after).toEqual({ ...before.arns, 'eu-west-1': expect.not.stringContaining(before.arns['eu-west-1'] ?? '') });
    expect(await served('eu-west-1', after['eu-west-1'])).toBe(before.three.serialNumber);
    const reported = [
      ['foreign', 'valueReplaced'],
      ['gone', 'secretDeleted'],
      ['moved', 'versionMoved'],
      ['three', 'importDeleted'],
    ];
    expect(await changesReported()).toEqual(reported);

    const renewals = (await d.renewals()).length;
    await d.fleet();
    await d.idle();
    expect(await changesReported()).toEqual(reported);
    expect((await d.renewals()).length).toBe(renewals);
  });

  test('issues a changed key type under new ARNs, the event says once which ARN to replace, and the old ARNs stay', async () => {
    const before = await arnsOf('three');
    const { serialNumber: old } = await d.secret('three');
    await d.redeploy({ zones, certificates: [{ ...three, keyType: 'P-384' }] });
    const after = await arnsOf('three');
    const { serialNumber } = await d.secret('three');
    const { deliveries = [] } = (await lastRenewed('three')) ?? {};
    for (const [index, region] of regions.entries()) {
      const [a = '', b = ''] = [before[region], after[region]];
      expect(deliveries[index]).toMatchObject({ region, arn: b, replaces: a });
      for (const words of ['Replace', a, b]) expect(deliveries[index]?.action).toContain(words);
      expect([await served(region, a), await served(region, b)]).toEqual([old, serialNumber]);
      expect(await listed(region)).toEqual([a, b].toSorted());
    }

    await renewed();
    expect(await arnsOf('three')).toEqual(after);
    expect((await lastRenewed('three'))?.deliveries.map(({ replaces, action }) => [replaces, action])).toEqual(
      regions.map(() => [null, null]),
    );
    for (const region of regions) expect(await served(region, before[region])).toBe(old);
  });

  test('issues a certificate under new ARNs if it keeps none of its names, and the event says why', async () => {
    const before = await arnsOf('three');
    const { serialNumber: old } = await d.secret('three');
    await d.redeploy({ zones, certificates: [{ ...three, keyType: 'P-384', identifiers: ['moved.example.com'] }] });
    const after = await arnsOf('three');
    const { serialNumber } = await d.secret('three');
    expect((await d.ledger('three')).failure).toBeNull();
    const { deliveries = [] } = (await lastRenewed('three')) ?? {};
    for (const [index, region] of regions.entries()) {
      const [a = '', b = ''] = [before[region], after[region]];
      expect(deliveries[index]).toMatchObject({ region, arn: b, replaces: a });
      for (const words of ['Replace', a, b, 'names']) expect(deliveries[index]?.action).toContain(words);
      expect([await served(region, a), await served(region, b)]).toEqual([old, serialNumber]);
    }
  });
});

test('a CA with only RSA keys issues RSA certificates that are imported, and certificates with other keys that are not', async () => {
  const certificates: CertificateConfig[] = [
    { name: 'rsa', identifiers: ['rsa.example.com'], keyType: 'RSA-2048', acm: ['us-east-1'] },
    { name: 'ec', identifiers: ['ec.example.com'], acm: ['us-east-1'] },
  ];
  const other = await deployed({ zones, certificates }, { pebble: { chaos, keyAlgorithm: 'rsa' } });
  try {
    await other.idle();
    const arns = await arnsOf('rsa', other);
    expect(await served('us-east-1', arns['us-east-1'], other)).toBe((await other.secret('rsa')).serialNumber);
    expect((await other.ledger('ec')).failure).toMatchObject({
      error: 'ImportRefusedError',
      cause: expect.stringContaining("keyType to 'RSA-2048'"),
    });
    expect(await listed('us-east-1', other)).toEqual([arns['us-east-1']]);
  } finally {
    await other.stop();
  }
});

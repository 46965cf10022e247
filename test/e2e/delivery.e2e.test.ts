import { X509Certificate } from 'node:crypto';
import {
  ACMClient,
  DeleteCertificateCommand,
  GetCertificateCommand,
  ListCertificatesCommand,
} from '@aws-sdk/client-acm';
import { DeleteRolePolicyCommand, IAMClient, ListRolesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateConfig } from '../../infra/config/perennial-config.ts';
import type { CertificateRenewed } from '../../lambdas/domain/contract/events.ts';
import { watchRenewal } from '../../local/demo/renewals.ts';
import { type Deployed, deployed } from './deployed.ts';
import { reaches, requestsOfOrders, scaleWaits } from './observed.ts';

const regions = ['ap-south-1', 'eu-west-1', 'us-east-1'] as const;
const zones = ['example.com'];
const three: CertificateConfig = {
  name: 'three',
  identifiers: ['three.example.com'],
  acm: regions,
  // It is renewed more than twice in here.
  ignoreIssueCap: true,
};

/** What the CA does before it signs is the subject of other files. */
const chaos = { validationSleep: false };

let d: Deployed;
afterAll(async () => {
  await d?.stop();
});

const acmIn = (region: string, of = d) => new ACMClient({ ...of.local.clientConfig, region });
const arnsOf = async (name: string, of = d): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries((await of.ledger(name)).deliveries).map(([region, { arn }]) => [region, arn]));
/** Serial number of what ACM serves under this ARN, in hex as Node shows it. */
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
async function renewed(): Promise<void> {
  const { status, cause } = await d.renew({ certificate: 'three', force: true });
  expect({ status, cause }).toEqual({ status: 'SUCCEEDED', cause: undefined });
}

describe('a CA with ECDSA keys', () => {
  const mixed: CertificateConfig = {
    name: 'mixed',
    identifiers: ['mixed.example.com'],
    keyType: 'RSA-2048',
    acm: ['us-east-1'],
  };

  beforeAll(async () => {
    d = await deployed({ zones, certificates: [three, mixed] }, { pebble: { chaos } });
    await d.idle();
  });

  test('has its certificate imported into three regions, under ARNs of their own', async () => {
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

  test('has a certificate of an RSA key refused in words, before ACM is asked', async () => {
    const { failure, current, deliveries } = await d.ledger('mixed');
    expect(failure?.error).toBe('ImportRefusedError');
    expect(failure?.cause).toContain('its key is RSA-2048 and the CA signed it with ECDSA');
    expect(failure?.cause).toContain("Set its keyType to 'P-256'");
    expect({ stored: current?.keyType, deliveries }).toEqual({ stored: 'RSA-2048', deliveries: {} });
    expect((await eventsOf('mixed')).map(({ detailType, detail }) => [detailType, detail.deliveries])).toEqual([
      ['Certificate Renewed', []],
      ['Certificate Renewal Failed', undefined],
    ]);
    const imports = (await d.local.aws.apiCalls()).filter(({ operation }) => operation === 'ImportCertificate');
    expect(imports.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('has the renewal that was refused shown by the demo with its error', async () => {
    const { signal } = new AbortController();
    const watched = watchRenewal(d.local, { certificate: 'mixed', among: 1, signal, onState: () => undefined });
    await expect(watched).rejects.toThrow(/^The renewal of mixed failed after \d+\.\d s: ImportRefusedError\n/);
  });

  test('one region that refuses keeps the others neither from an import nor from being told, and the next try does only the rest', async () => {
    const before = await arnsOf('three');
    const iam = new IAMClient(d.local.clientConfig);
    const { Roles: roles = [] } = await iam.send(new ListRolesCommand({ MaxItems: 1000 }));
    const RoleName = roles.find((role) => role.RoleName?.includes('DeliveryRole'))?.RoleName;
    const policy = { RoleName, PolicyName: 'not-in-ap-south-1' };
    const deny = { Effect: 'Deny', Action: 'acm:*', Resource: 'arn:aws:acm:ap-south-1:*:certificate/*' };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [deny] });
    await iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument }));
    const told = (await eventsOf('three')).length;

    await scaleWaits(d, 0.03);
    const arn = await d.start({ certificate: 'three', force: true });
    await reaches(d, arn, 'Wait for next attempt');
    const { serialNumber } = await d.secret('three');
    const ledger = await d.ledger('three');
    await iam.send(new DeleteRolePolicyCommand(policy));
    expect(ledger.failure).toMatchObject({ error: 'AccessDeniedError', cause: expect.stringContaining('ap-south-1') });
    for (const region of ['us-east-1', 'eu-west-1']) expect(await served(region, before[region])).toBe(serialNumber);

    const [mark, orders] = [(await d.local.aws.apiCalls()).length, d.local.pebble.requests().length];
    expect(await d.ended(arn)).toMatchObject({ status: 'SUCCEEDED' });
    await scaleWaits(d, 1);
    const calls = (await d.local.aws.apiCalls(mark)).filter(({ operation }) => operation === 'ImportCertificate');
    expect(calls).toHaveLength(1);
    expect(requestsOfOrders(d, orders)).toBe(0);
    expect(await served('ap-south-1', before['ap-south-1'])).toBe(serialNumber);
    expect(await arnsOf('three')).toEqual(before);
    const events = (await eventsOf('three')).slice(told);
    expect(
      events.map(({ detailType, detail }) => [detailType, detail.deliveries?.map(({ region }) => region)]),
    ).toEqual([
      ['Certificate Renewed', ['eu-west-1', 'us-east-1']],
      ['Certificate Renewal Failed', undefined],
      ['Certificate Renewed', regions],
    ]);
  });

  test('an ARN that was deleted by hand is imported anew at the next renewal, and what to do is announced', async () => {
    const before = await arnsOf('three');
    await acmIn('eu-west-1').send(new DeleteCertificateCommand({ CertificateArn: before['eu-west-1'] }));
    await renewed();
    const after = await arnsOf('three');
    expect(after).toEqual({ ...before, 'eu-west-1': expect.not.stringContaining(before['eu-west-1'] ?? '') });
    const { serialNumber } = await d.secret('three');
    for (const region of regions) expect(await served(region, after[region]), region).toBe(serialNumber);
    const { deliveries } = (await lastRenewed('three')) ?? {};
    expect(deliveries?.map(({ replaces }) => replaces)).toEqual([null, before['eu-west-1'], null]);
    expect(deliveries?.map(({ action }) => action)).toEqual([
      null,
      expect.stringContaining(`Use ${after['eu-west-1']} wherever ${before['eu-west-1']} was used`),
      null,
    ]);
    expect(await listed('eu-west-1')).toEqual([after['eu-west-1']]);
  });

  test('a changed key type gets new ARNs, says "replace A by B" for each once, and leaves the old ones as they are', async () => {
    const before = await arnsOf('three');
    const { serialNumber: old } = await d.secret('three');
    await d.redeploy({ zones, certificates: [{ ...three, keyType: 'P-384' }] });
    const after = await arnsOf('three');
    const { serialNumber } = await d.secret('three');
    const { deliveries = [] } = (await lastRenewed('three')) ?? {};
    for (const [index, region] of regions.entries()) {
      const [a = '', b = ''] = [before[region], after[region]];
      expect(deliveries[index]).toMatchObject({ region, arn: b, replaces: a });
      expect(deliveries[index]?.action).toContain(`Replace ${a} by ${b} wherever it is used`);
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

  test('names of which none is left get new ARNs that are announced with the reason, and are not refused for good', async () => {
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
      expect(deliveries[index]?.action).toContain(`Replace ${a} by ${b} wherever it is used`);
      expect(deliveries[index]?.action).toContain('none of the old names');
      expect([await served(region, a), await served(region, b)]).toEqual([old, serialNumber]);
    }
  });
});

test('a CA with RSA keys has RSA certificates imported, and those of other keys refused', async () => {
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
      cause: expect.stringContaining("Set its keyType to 'RSA-2048'"),
    });
    expect(await listed('us-east-1', other)).toEqual([arns['us-east-1']]);
  } finally {
    await other.stop();
  }
});

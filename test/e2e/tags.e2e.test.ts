import { ACMClient, ListTagsForCertificateCommand } from '@aws-sdk/client-acm';
import { IAMClient, ListRolesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { DescribeSecretCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalConfig } from '../../local/config-file.ts';
import { type Deployed, deployed } from './deployed.ts';
import { eventually } from './observed.ts';

const www = { name: 'www', identifiers: ['www.example.com'], acm: ['us-east-1'] };
const shop = { name: 'shop', identifiers: ['shop.example.com'], acm: ['us-east-1'] };
const untagged = { name: 'untagged', identifiers: ['untagged.example.com'] };
const config = (tags: LocalConfig['tags'], ...certificates: LocalConfig['certificates']): LocalConfig => ({
  zones: ['example.com'],
  certificates,
  ...(tags && { tags }),
});

/** What a service control policy of an organization may demand. An inline policy of each role stands in for it. */
const demandsTeam = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Deny',
      Action: 'secretsmanager:CreateSecret',
      Resource: '*',
      Condition: { Null: { 'aws:RequestTag/team': 'true' } },
    },
    {
      Effect: 'Deny',
      Action: 'acm:ImportCertificate',
      Resource: '*',
      Condition: { Null: { 'aws:RequestTag/team': 'true', 'aws:ResourceTag/perennial:stack': 'true' } },
    },
  ],
};

let d: Deployed;
beforeAll(async () => {
  d = await deployed(config({ team: 'web', stage: 'test' }, www), { pebble: { chaos: { validationSleep: false } } });
  await d.idle();
  const iam = new IAMClient(d.local.clientConfig);
  const { Roles: roles = [] } = await iam.send(new ListRolesCommand({ MaxItems: 1000 }));
  for (const { RoleName } of roles)
    await iam.send(
      new PutRolePolicyCommand({ RoleName, PolicyName: 'Organization', PolicyDocument: JSON.stringify(demandsTeam) }),
    );
});
afterAll(async () => {
  await d?.stop();
});

type TagList = readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[];
const mapOf = (list: TagList = []) => Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));

async function secretTags(certificate: string) {
  const client = new SecretsManagerClient(d.local.clientConfig);
  return mapOf((await client.send(new DescribeSecretCommand({ SecretId: `certificates/${certificate}` }))).Tags);
}
async function importTags(certificate: string) {
  const { arn } = (await d.ledger(certificate)).deliveries['us-east-1'] ?? {};
  const client = new ACMClient({ ...d.local.clientConfig, region: 'us-east-1' });
  return mapOf((await client.send(new ListTagsForCertificateCommand({ CertificateArn: arn }))).Tags);
}
async function accountTags() {
  const { SecretList: list = [] } = await new SecretsManagerClient(d.local.clientConfig).send(
    new ListSecretsCommand({ MaxResults: 100 }),
  );
  return mapOf(list.find(({ Name }) => Name?.startsWith('certificates-accounts/'))?.Tags);
}
const own = (certificate: string) => ({ 'perennial:stack': 'Perennial', 'perennial:certificate': certificate });
const secretsTag = () => ({ 'perennial:secrets': `${d.local.aws.region}/certificates/` });
const renewedEvents = async (certificate: string) =>
  (await d.local.aws.busEvents()).filter(
    ({ detailType, detail }) =>
      detailType === 'Certificate Renewed' && (detail as { certificate?: string }).certificate === certificate,
  ).length;

describe('tags of the operator', () => {
  test('are on secrets, imports and the account from the start, and the name of an import is a tag too', async () => {
    const tags = { team: 'web', stage: 'test' };
    expect(await secretTags('www')).toEqual({ ...tags, ...own('www') });
    expect(await importTags('www')).toEqual({ ...tags, ...own('www'), ...secretsTag(), Name: 'www' });
    expect(await accountTags()).toEqual({ ...tags, 'perennial:stack': 'Perennial' });
    expect((await d.renew({ certificate: 'www' })).output).toMatchObject({
      reason: expect.stringContaining('nothing to do'),
    });
  });

  test('are changed on what exists without a new certificate, import or event, by a deployment alone', async () => {
    const { serialNumber } = await d.secret('www');
    const before = (await d.ledger('www')).deliveries['us-east-1'];
    const events = await renewedEvents('www');
    await d.redeploy(config({ team: 'shop', Name: 'front' }, www));
    expect(await secretTags('www')).toEqual({ team: 'shop', Name: 'front', ...own('www') });
    const tags = { team: 'shop', stage: 'test', Name: 'front' };
    expect(await importTags('www')).toEqual({ ...tags, ...own('www'), ...secretsTag() });
    expect(await accountTags()).toMatchObject({ team: 'shop', Name: 'front' });
    expect((await d.secret('www')).serialNumber).toBe(serialNumber);
    expect((await d.ledger('www')).deliveries['us-east-1']).toMatchObject({
      arn: before?.arn,
      versionId: before?.versionId,
    });
    expect(await renewedEvents('www')).toBe(events);
    expect((await d.ledger('www')).failure).toBeNull();
  });

  test('let a certificate be issued where the organization demands a tag at creation', async () => {
    await d.redeploy(config({ team: 'shop' }, www, shop));
    expect((await d.ledger('shop')).failure).toBeNull();
    expect(await importTags('shop')).toEqual({ team: 'shop', Name: 'shop', ...own('shop'), ...secretsTag() });
  });

  test('that the organization demands and that are missing fail the issuance with its words', async () => {
    // The execution waits a minute for its second attempt. The first one has recorded the failure.
    await d.update(config(undefined, www, shop, untagged));
    const failure = await eventually(
      'The failure of untagged',
      async () => (await d.ledger('untagged')).failure ?? undefined,
    );
    expect(failure).toMatchObject({ error: 'AccessDeniedError', cause: expect.stringContaining('CreateSecret') });
  });
});

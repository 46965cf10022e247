import { ACMClient, DescribeCertificateCommand, ListCertificatesCommand } from '@aws-sdk/client-acm';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
} from '@aws-sdk/client-cloudformation';
import { CloudFrontClient, GetDistributionCommand } from '@aws-sdk/client-cloudfront';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type ExecutionListItem, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { Duration } from 'aws-cdk-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, createHostedZone, deploy } from '../../local/deploy.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../../local/environment.ts';
import { deleteStack } from '../../local/stacks.ts';
import { deployAssembly, synthesize } from './assembly.ts';
import { type LocalSite, localSiteStack } from './local-site-stack.ts';
import { eventually } from './observed.ts';

// The stack of `examples/cloudfront-site`, with IAM enforced. Each test continues from the state that the previous test left.

let local: LocalEnvironment;
let site: LocalSite;
let outputs: Readonly<Record<string, string>> = {};
let firstArn = '';

beforeAll(async () => {
  local = await startLocalEnvironment({
    pebble: { chaos: { rejectNonces: false, reuseAuthorizations: false, validationSleep: false } },
  });
  await bootstrap(local);
  site = {
    keyType: 'RSA-2048',
    zoneName: 'site.test',
    hostedZoneId: await createHostedZone(local, 'site.test'),
    rootServers: [local.dns.addresses.root],
    issuer: {
      directoryUrl: local.pebble.directoryUrl,
      termsOfServiceAgreed: true,
      trustedRoots: [local.pebble.trustedRoots],
      // Browsers do not trust the local CA, but the local CloudFront does not check the chain.
      publiclyTrusted: true,
    },
  };
});
afterAll(() => local?.stop());

const assembly = (change: Partial<LocalSite> = {}) =>
  synthesize(local, (app, synthesizer) => localSiteStack(app, { ...site, ...change }, synthesizer));

async function deploySite(change?: Partial<LocalSite>): Promise<void> {
  outputs = await deployAssembly(local, assembly(change));
}

/** Returns the reasons from CloudFormation why the certificate failed, newest first. */
async function failureReasons(): Promise<readonly string[]> {
  const client = new CloudFormationClient(local.clientConfig);
  const reasons: string[] = [];
  for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: 'Site' }))
    for (const { ResourceType, ResourceStatus, ResourceStatusReason = '' } of StackEvents)
      if (ResourceType === 'Custom::PerennialCertificate' && ResourceStatus?.endsWith('_FAILED'))
        reasons.push(ResourceStatusReason);
  return reasons;
}

async function stackStatus(): Promise<string | undefined> {
  const client = new CloudFormationClient(local.clientConfig);
  return (await client.send(new DescribeStacksCommand({ StackName: 'Site' }))).Stacks?.[0]?.StackStatus;
}

async function distribution() {
  const client = new CloudFrontClient(local.clientConfig);
  const { Distribution } = await client.send(new GetDistributionCommand({ Id: outputs.DistributionId }));
  return { domainName: Distribution?.DomainName ?? '', ...Distribution?.DistributionConfig };
}
const servedArn = async () => (await distribution()).ViewerCertificate?.ACMCertificateArn ?? '';

async function imported(arn: string) {
  const client = new ACMClient(local.clientConfig);
  const { Certificate } = await client.send(new DescribeCertificateCommand({ CertificateArn: arn }));
  return { names: Certificate?.SubjectAlternativeNames?.toSorted(), key: Certificate?.KeyAlgorithm };
}

async function storedIdentifiers(): Promise<readonly string[]> {
  const client = new SecretsManagerClient(local.clientConfig);
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: 'certificates/www' }));
  return JSON.parse(SecretString ?? '{}').identifiers;
}

async function executions(stateMachineArn = ''): Promise<readonly ExecutionListItem[]> {
  const client = new SFNClient(local.clientConfig);
  return (await client.send(new ListExecutionsCommand({ stateMachineArn }))).executions ?? [];
}

/** Waits until no execution runs, including those of the fleet run that a deployment starts. Returns the number of renewals. */
async function renewalsAfterAll(): Promise<number> {
  return eventually('The end of all executions', async () => {
    // The fleet starts renewals, so its executions are read first.
    const fleet = await executions(outputs.FleetArn);
    const renewals = await executions(outputs.RenewalArn);
    return [...fleet, ...renewals].some(({ status }) => status === 'RUNNING') ? undefined : renewals.length;
  });
}

/** Returns the renewals that CloudFormation requested. The fleet run after a deployment may start one at the same time, with another name. */
const requestedRenewals = async () =>
  (await executions(outputs.RenewalArn)).filter(({ name }) => name?.startsWith('www-us-east-1-'));

const names = ['site.test', 'www.site.test'];

test('a zone without a delegation fails the deployment, and CloudFormation shows the NS records to set', async () => {
  const delegated = local.dns.delegate('site.test', null);
  // `cdk deploy` prints the reason too.
  await expect(deploy(local, { app: assembly().directory })).rejects.toThrow('ZoneNotDelegatedError');
  delegated();
  const [reason] = await failureReasons();
  expect(reason).toContain('ZoneNotDelegatedError: ');
  expect(reason).toContain(`site.test. 3600 IN NS ${local.dns.addresses.authoritative}.`);
  expect(reason).toMatch(/Execution: arn:aws:states:\S+:execution:\S+-renewal:www-us-east-1-/);
  expect(reason).not.toContain('index.mjs'); // no stack trace
});

test('with the delegation, one deployment creates a distribution with its certificate', async ({ annotate }) => {
  const calls = (await local.aws.apiCalls()).length;
  const requests = local.pebble.requests().length;
  const begin = Date.now();
  await deploySite();
  const seconds = (Date.now() - begin) / 1000;

  firstArn = await servedArn();
  expect(firstArn).toMatch(/^arn:aws:acm:us-east-1:\d{12}:certificate\/[0-9a-f-]{36}$/);
  expect(await imported(firstArn)).toEqual({ names, key: 'RSA_2048' });
  const { Aliases, Origins, domainName } = await distribution();
  expect(Aliases?.Items?.toSorted()).toEqual(names);
  expect(Origins?.Items?.[0]?.OriginAccessControlId).toMatch(/\w/);
  const zone = (await local.aws.hostedZones()).find(({ name }) => name === 'site.test.');
  const aliases = zone?.records.filter(({ type }) => type === 'A' || type === 'AAAA') ?? [];
  expect(aliases.map(({ name, type }) => `${name} ${type}`).toSorted()).toEqual([
    'site.test. A',
    'site.test. AAAA',
    'www.site.test. A',
    'www.site.test. AAAA',
  ]);
  expect(domainName).toMatch(/\.cloudfront\.net$/);

  const orders = local.pebble.requests(requests).filter(({ path }) => path === '/order-plz');
  expect(orders).toHaveLength(1);
  const refused = (await local.aws.apiCalls(calls)).filter(
    ({ caller, status }) => caller.includes(':assumed-role/') && status === 403,
  );
  expect(refused).toEqual([]);
  await annotate(`The deployment of a distribution with its certificate took ${seconds.toFixed(1)} s.`);
});

test('a deployment without changes starts no renewal', async () => {
  const before = await renewalsAfterAll();
  await deploySite();
  expect(await renewalsAfterAll()).toBe(before);
  expect(await servedArn()).toBe(firstArn);
});

test('a deployment that changes other resources keeps the ARN and starts no renewal', async () => {
  const before = await renewalsAfterAll();
  const requests = local.pebble.requests().length;
  site = { ...site, schedule: Duration.hours(12) };
  await deploySite();
  expect(await servedArn()).toBe(firstArn);
  expect(await renewalsAfterAll()).toBe(before);
  expect(local.pebble.requests(requests).filter(({ path }) => path === '/order-plz')).toEqual([]);
});

test('another key type gives the distribution a new ARN, and the old certificate stays', async () => {
  await deploySite({ keyType: 'RSA-3072' });
  const arn = await servedArn();
  expect(arn).not.toBe(firstArn);
  expect(await imported(arn)).toEqual({ names, key: 'RSA_3072' });
  expect((await imported(firstArn)).key).toBe('RSA_2048');
});

test('a change that cannot be issued fails the deployment, and the rollback keeps the certificate of the distribution', async () => {
  const before = await servedArn();
  const { DistributionId = '' } = outputs;
  const renewalsBefore = (await requestedRenewals()).length;
  const requests = local.pebble.requests().length;
  await expect(deploySite({ keyType: 'RSA-4096' })).rejects.toThrow();
  const [reason] = await failureReasons();
  expect(reason).toMatch(/IssueCapError: .* issued 2 certificates for site\.test, www\.site\.test/);
  expect(await stackStatus()).toBe('UPDATE_ROLLBACK_COMPLETE');
  outputs = { ...outputs, DistributionId };
  expect(await servedArn()).toBe(before);
  expect((await requestedRenewals()).length).toBe(renewalsBefore + 1);
  expect(local.pebble.requests(requests).filter(({ path }) => path === '/order-plz')).toEqual([]);
});

test('the secret and the certificates stay when the stack is deleted', async () => {
  await deleteStack(local, 'Site');
  expect(await storedIdentifiers()).toEqual(names);
  const acm = new ACMClient(local.clientConfig);
  const { CertificateSummaryList = [] } = await acm.send(
    new ListCertificatesCommand({ Includes: { keyTypes: ['RSA_2048', 'RSA_3072'] } }),
  );
  expect(CertificateSummaryList).toHaveLength(2);
});

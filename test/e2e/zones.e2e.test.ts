import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { App, DefaultStackSynthesizer, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChallengeRole, type ChallengeRoleProps } from '../../infra/consumers/challenge-role.ts';
import { createLedger } from '../../lambdas/adapters/aws/dynamodb/ledger.ts';
import { createHostedZone, inAccount } from '../../local/deploy.ts';
import type { LocalEnvironment } from '../../local/environment.ts';
import { applyStack, deleteStack } from '../../local/stacks.ts';
import { type Deployed, deployed } from './deployed.ts';
import { reaches, requestsOfOrders } from './observed.ts';

/** The account of the hosted zones that are in another account than the stack. */
const dnsAccount = '111122223333';
const roleArn = (name: string) => `arn:aws:iam::${dnsAccount}:role/${name}`;
const externalId = 'the-shop-0815';

/** Names of the hosted zones in the account of the stack, and in the other account. `example.org` is for challenges only. */
const ownZones = ['example.com', 'deleted.test', 'private.test'] as const;
const otherZones = ['example.net', 'example.org', 'distrusted.test', 'missing.test', 'external.test'] as const;
const zoneIds: Record<string, string> = {};
const idOf = (name: (typeof ownZones)[number] | (typeof otherZones)[number]) => zoneIds[name] ?? '';

const both = ['*.example.net', 'a.www.example.net', 'example.net', 'shop.example.com'];
const certificates = {
  own: ['example.com'],
  both,
  delegated: ['*.delegated.example.com', 'chained.example.com', 'delegated.example.com'],
  aliased: ['aliased.example.com'],
  deleted: ['www.deleted.test'],
  distrusted: ['distrusted.test'],
  missing: ['missing.test'],
  external: ['external.test'],
  half: ['half.example.com', 'half.example.net'],
  withdrawn: ['w.withdrawn.example.net', 'withdrawn.example.com'],
  loop: ['loop.example.com'],
  forbidden: ['forbidden.example.com'],
  weighted: ['weighted.example.com'],
  private: ['www.private.test'],
};

let d: Deployed;
/** The local environment with the credentials of the other account. */
let dns: LocalEnvironment;

/** Props of the role in the other account that the stack assumes. */
const challenges = (): Omit<ChallengeRoleProps, 'roleName'> => ({
  trustedRole: d.outputs.ChallengeRoleArn ?? '',
  externalId,
  hostedZones: [
    { id: idOf('example.net'), name: 'example.net' },
    { id: idOf('example.org'), name: 'example.org', challengesOnly: true },
    { id: idOf('external.test'), name: 'external.test', challengesOnly: true },
  ],
  names: [...both.slice(0, 3), 'w.withdrawn.example.net'],
});

/** Deploys a stack with the role in the other account. */
async function deployRole(roleName: string, props: Omit<ChallengeRoleProps, 'roleName'>): Promise<void> {
  const synthesizer = new DefaultStackSynthesizer({ generateBootstrapVersionRule: false });
  const stack = new Stack(new App(), roleName, { synthesizer });
  new ChallengeRole(stack, 'ChallengeRole', { ...props, roleName });
  await applyStack(dns, roleName, { TemplateBody: JSON.stringify(Template.fromStack(stack).toJSON()) });
}

async function createPrivateZone(name: string): Promise<string> {
  const command = new CreateHostedZoneCommand({
    Name: name,
    CallerReference: name,
    HostedZoneConfig: { PrivateZone: true },
    VPC: { VPCId: 'vpc-0a1b2c3d', VPCRegion: d.local.aws.region as 'us-east-1' },
  });
  const { HostedZone } = await new Route53Client(d.local.clientConfig).send(command);
  return (HostedZone?.Id ?? '').replace('/hostedzone/', '');
}

async function create(account: LocalEnvironment, zone: string, ...sets: ResourceRecordSet[]): Promise<void> {
  const Changes = sets.map((ResourceRecordSet) => ({ Action: 'CREATE' as const, ResourceRecordSet }));
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } });
  await new Route53Client(account.clientConfig).send(command);
}
const cname = (from: string, to: string): ResourceRecordSet => ({
  Name: `_acme-challenge.${from}`,
  Type: 'CNAME',
  TTL: 300,
  ResourceRecords: [{ Value: to }],
});

beforeAll(async () => {
  const { own } = certificates;
  const first = { zones: [ownZones[0]], certificates: [{ name: 'own', identifiers: own }] };
  // A minute of the retry schedule takes six seconds.
  d = await deployed(first, {
    waitScale: 0.1,
    pebble: { chaos: { validationSleep: false, reuseAuthorizations: false } },
  });
  dns = inAccount(d.local, dnsAccount);
  for (const name of otherZones) zoneIds[name] = await createHostedZone(dns, name);
  zoneIds['deleted.test'] = await createHostedZone(d.local, 'deleted.test');
  zoneIds['private.test'] = await createPrivateZone('private.test');
  zoneIds['example.com'] = (await d.local.aws.hostedZones()).find(({ name }) => name === 'example.com.')?.id ?? '';

  await deployRole('challenges', challenges());
  await deployRole('distrusting', {
    trustedRole: `${challenges().trustedRole}2`,
    hostedZones: [{ id: idOf('distrusted.test'), name: 'distrusted.test', challengesOnly: true }],
  });
  await create(
    d.local,
    idOf('example.com'),
    cname('delegated.example.com', '0a1b2c.example.org'),
    cname('chained.example.com', '_acme-challenge.chained.example.net'),
    cname('aliased.example.com', 'aliased.example.org'),
    cname('loop.example.com', '_acme-challenge.loop.example.net'),
    cname('forbidden.example.com', 'www.example.net'),
    {
      Name: '_acme-challenge.weighted.example.com',
      Type: 'TXT',
      TTL: 60,
      SetIdentifier: 'blue',
      Weight: 1,
      ResourceRecords: [{ Value: '"other"' }],
    },
  );
  await create(
    dns,
    idOf('example.net'),
    cname('chained.example.net', 'chained.example.org'),
    cname('loop.example.net', '_acme-challenge.loop.example.com'),
  );
  await d.redeploy({
    zones: [
      ...ownZones.map((name) => ({ name, id: idOf(name) })),
      { name: 'example.net', id: idOf('example.net'), roleArn: roleArn('challenges'), externalId },
      {
        name: 'example.org',
        id: idOf('example.org'),
        roleArn: roleArn('challenges'),
        externalId,
        challengesOnly: true,
      },
      { name: 'distrusted.test', id: idOf('distrusted.test'), roleArn: roleArn('distrusting') },
      { name: 'missing.test', id: idOf('missing.test'), roleArn: roleArn('missing') },
      {
        name: 'external.test',
        id: idOf('external.test'),
        roleArn: roleArn('challenges'),
        externalId: 'the-shop-0816',
      },
    ],
    certificates: Object.entries(certificates).map(([name, identifiers]) => ({
      name,
      identifiers,
      ...(name === 'aliased' && { challengeAlias: 'aliased.example.org' }),
    })),
  });
});
afterAll(async () => {
  await d?.stop();
});

/** Returns the TXT values of all zones by name. */
async function txtOfAll(): Promise<Record<string, string[]>> {
  const zones = await Promise.all([...ownZones, ...otherZones].map((zone) => d.txt(zone)));
  return Object.assign({}, ...zones);
}
/** The only TXT value that this stack did not create. No test changes it. */
const otherValues = { '_acme-challenge.weighted.example.com': ['other'] };
const settled = { lease: null, order: null, leftovers: [], failure: null };

describe('with hosted zones in two accounts,', () => {
  test.each(['both', 'delegated', 'aliased', 'deleted', 'withdrawn'] as const)(
    'certificate %s is issued, and its TXT values are removed',
    async (name) => {
      expect((await d.secret(name)).identifiers).toEqual(certificates[name]);
      expect(await d.ledger(name)).toMatchObject(settled);
      expect(await txtOfAll()).toEqual(otherValues);
    },
  );

  test('a renewal writes each zone only with the credentials of its account', async () => {
    const mark = (await d.local.aws.apiCalls()).length;
    expect(await d.renew({ certificate: 'both', force: true })).toMatchObject({ status: 'SUCCEEDED' });
    const calls = (await d.local.aws.apiCalls(mark)).filter(({ caller }) => caller.includes(':assumed-role/'));
    const writers = calls.filter(({ operation }) => operation === 'ChangeResourceRecordSets');
    const sessionOfRole = expect.stringMatching(
      `^arn:aws:sts::${dnsAccount}:assumed-role/challenges/perennial-Perennial-CertificatesChallengeFunction`,
    );
    // In each of the two zones a value is created and removed.
    expect(writers.map(({ caller }) => caller).toSorted()).toEqual([
      ...Array.from({ length: 2 }, () => expect.stringContaining(`::${d.local.aws.accountId}:assumed-role/Perennial-`)),
      sessionOfRole,
      sessionOfRole,
    ]);
    const assuming = calls.filter(({ operation }) => operation === 'AssumeRole').map(({ caller }) => caller);
    expect(assuming.every((caller) => caller.includes('ChallengeRole'))).toBe(true);
    expect(calls.filter(({ status }) => status >= 400)).toEqual([]);
  });
});

/** Runs a renewal that fails, and asserts that it leaves neither TXT values nor leases. Returns its error and the number of orders. */
async function failing(certificate: keyof typeof certificates) {
  const mark = d.local.pebble.requests().length;
  const { status, error, cause = '' } = await d.renew({ certificate, force: true });
  expect(status).toBe('FAILED');
  expect(await txtOfAll()).toEqual(otherValues);
  expect(await d.ledger(certificate)).toMatchObject({ lease: null, leftovers: [] });
  return { error, cause, orders: requestsOfOrders(d, mark) };
}

describe('a role that cannot be assumed fails the renewal before an order, and the error names its zone', () => {
  test.each([
    ['it trusts another role', 'distrusted', 'distrusted.test', 'distrusting'],
    ['it does not exist', 'missing', 'missing.test', 'missing'],
    ['it requires another external id', 'external', 'external.test', 'challenges'],
  ] as const)('because %s', async (_, certificate, zone, role) => {
    const { error, cause, orders } = await failing(certificate);
    expect(error).toBe('RoleNotAssumedError');
    expect(cause).toContain(`hosted zone ${idOf(zone)} of ${zone}: role ${roleArn(role)} cannot be assumed`);
    expect(cause).not.toContain('the-shop');
    expect(orders).toBe(0);
  });
});

test('a private zone fails the renewal before an order, and the error names it', async () => {
  const { error, cause, orders } = await failing('private');
  expect({ error, orders }).toEqual({ error: 'ZoneNotFoundError', orders: 0 });
  expect(cause).toContain(`hosted zone ${idOf('private.test')} of private.test`);
  expect(cause).toContain('it is a private zone');
});

describe('a role that does not allow a name in one of two zones', () => {
  /** Runs the renewal. Returns the statuses of the changes in the account of the stack and in the other account. */
  async function failingHalf() {
    const mark = (await d.local.aws.apiCalls()).length;
    const { error, cause } = await failing('half');
    expect(error).toBe('AccessDeniedError');
    expect(cause).toContain(
      `hosted zone ${idOf('example.net')} (_acme-challenge.half.example.net) was denied to role ${roleArn('challenges')}`,
    );
    expect(cause).toContain('`names` of the ChallengeRole there');
    const changes = (await d.local.aws.apiCalls(mark)).filter((call) => call.operation === 'ChangeResourceRecordSets');
    const statuses = (account: string) =>
      changes.filter(({ caller }) => caller.split(':')[4] === account).map(({ status }) => status);
    return { own: statuses(d.local.aws.accountId), other: statuses(dnsAccount) };
  }

  test('is named in the error with the zone, and the value in the other zone is removed', async () => {
    // Zones are written in the order of the authorizations, which is random in Pebble. The zone of the stack is first in half of the runs.
    for (let attempts = 0; attempts < 20; attempts += 1) {
      const { own, other } = await failingHalf();
      expect(other).toEqual([403]);
      if (own.length === 0) continue;
      expect(own).toEqual([200, 200]);
      return;
    }
    expect.fail('In twenty renewals the zone of the stack was never written first.');
  });
});

test('a role that is deleted during a renewal leaves a leftover value, which is reported, and removed when the role exists again', async () => {
  // Held before the check, because a check that has begun may have read the changes already, and then needs the role no more.
  const proceed = await d.local.aws.holdState('Check propagation');
  const arn = await d.start({ certificate: 'withdrawn', force: true });
  await reaches(d, arn, 'Check propagation');
  await deleteStack(dns, 'challenges');
  await proceed();
  expect(await d.ended(arn)).toMatchObject({
    status: 'FAILED',
    error: expect.stringMatching(/AccessDenied|RoleNotAssumed/),
  });
  const left = Object.keys(await txtOfAll());
  expect(left).toEqual(['_acme-challenge.weighted.example.com', '_acme-challenge.w.withdrawn.example.net']);
  expect((await d.ledger('withdrawn')).leftovers.map(({ name }) => name)).toEqual(left.slice(1));

  expect(await d.renew({ certificate: 'withdrawn', cleanUp: true })).toMatchObject({ status: 'SUCCEEDED' });
  const events = (await d.local.aws.busEvents()).filter(
    ({ detailType }) => detailType === 'Certificate Clean-Up Failed',
  );
  const reason = expect.stringContaining(roleArn('challenges'));
  const values = [expect.objectContaining({ hostedZoneId: idOf('example.net'), name: left[1], reason })];
  expect(events.map(({ detail }) => detail)).toEqual([expect.objectContaining({ certificate: 'withdrawn', values })]);

  await deployRole('challenges', challenges());
  expect(await d.renew({ certificate: 'withdrawn', force: true })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await d.ledger('withdrawn')).toMatchObject(settled);
  expect(await txtOfAll()).toEqual(otherValues);
});

test('the TXT value of a certificate that is no longer configured is removed', async () => {
  const name = '_acme-challenge.former.example.com';
  const value = { hostedZoneId: idOf('example.com'), name, value: 'left' };
  const record = { Name: name, Type: 'TXT' as const, TTL: 10, ResourceRecords: [{ Value: '"left"' }] };
  await create(d.local, idOf('example.com'), record);
  const order = { url: 'https://ca.test/order/1', finalize: 'https://ca.test/order/1', expires: null };
  const who = { certificate: 'former', execution: 'former' };
  const ledger = createLedger({
    table: d.outputs.LedgerTable ?? '',
    client: new DynamoDBClient(d.local.clientConfig),
  });
  await ledger.takeLease({ certificate: 'former' }, who, new Date());
  const saved = { ...order, execution: 'former', specHash: '', directoryUrl: 'https://ca.test/directory' };
  await ledger.saveOrder('former', saved, [value]);
  await ledger.release('former', 'former');

  expect(await d.renew({ certificate: 'former' })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await d.ledger('former')).toMatchObject({ lease: null, leftovers: [] });
  expect(await txtOfAll()).toEqual(otherValues);
});

test('a zone that was deleted after the deployment is named in the error, and the certificate stays', async () => {
  const before = await d.secret('deleted');
  await new Route53Client(d.local.clientConfig).send(new DeleteHostedZoneCommand({ Id: idOf('deleted.test') }));
  const { error, cause, orders } = await failing('deleted');
  expect(error).toBe('ZoneNotFoundError');
  expect(cause).toContain(`Hosted zone ${idOf('deleted.test')} does not exist`);
  expect(cause).toContain('deleted.test');
  expect(orders).toBe(0);
  expect(await d.secret('deleted')).toEqual(before);
});

test('a CNAME that is followed is not changed', async () => {
  const zone = (await d.local.aws.hostedZones()).find(({ id }) => id === idOf('example.com'));
  expect(zone?.records.filter(({ type }) => type === 'CNAME').map(({ name, values }) => [name, ...values])).toEqual(
    expect.arrayContaining([['_acme-challenge.delegated.example.com.', '0a1b2c.example.org']]),
  );
});

describe('a CNAME fails the renewal before an order', () => {
  test('if it leads into a loop', async () => {
    const { error, cause, orders } = await failing('loop');
    expect(error).toBe('ChallengeAliasError');
    expect(cause).toMatch(/_acme-challenge\.loop\.example\.com.*_acme-challenge\.loop\.example\.net.*loop/);
    expect(orders).toBe(0);
  });

  test('if the stack may not write its target, and the error has the record to create', async () => {
    const { error, cause, orders } = await failing('forbidden');
    expect(error).toBe('ChallengeAliasError');
    expect(cause).toMatch(/www\.example\.net.*may not write/);
    expect(cause).toContain('_acme-challenge.forbidden.example.com. 300 IN CNAME');
    expect(orders).toBe(0);
  });
});

test('a TXT set with a routing policy at the challenge name is named in the error and not changed', async () => {
  const { error, cause } = await failing('weighted');
  expect(error).toBe('RecordSetRefusedError');
  expect(cause).toContain('_acme-challenge.weighted.example.com in hosted zone');
  expect(cause).toContain('routing policy');
});

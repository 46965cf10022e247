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
import { createHostedZone, inAccount } from '../../local/deploy.ts';
import type { LocalEnvironment } from '../../local/environment.ts';
import { applyStack, deleteStack } from '../../local/stacks.ts';
import { type Deployed, deployed } from './deployed.ts';
import { reaches, requestsOfOrders } from './observed.ts';

/** The account of hosted zones that are not ours. */
const dnsAccount = '111122223333';
const roleArn = (name: string) => `arn:aws:iam::${dnsAccount}:role/${name}`;
const externalId = 'the-shop-0815';

/** Zone names, by whose they are. `example.org` takes challenges only. */
const ours = ['example.com', 'deleted.test', 'private.test'] as const;
const theirs = ['example.net', 'example.org', 'distrusted.test', 'missing.test', 'external.test'] as const;
const zoneIds: Record<string, string> = {};
const idOf = (name: (typeof ours)[number] | (typeof theirs)[number]) => zoneIds[name] ?? '';

const both = ['*.example.net', 'a.www.example.net', 'example.net', 'shop.example.com'];
const certificates = {
  own: ['example.com'],
  both,
  delegated: ['*.delegated.example.com', 'chained.example.com', 'delegated.example.com'],
  told: ['told.example.com'],
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
/** The other account. */
let dns: LocalEnvironment;

/** The role of the other account that this is about. */
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

/** What an operator of the other account deploys: a stack with the role. */
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
  const first = { zones: [ours[0]], certificates: [{ name: 'own', identifiers: own }] };
  // A minute of the ladder is six seconds here.
  d = await deployed(first, {
    waitScale: 0.1,
    pebble: { chaos: { validationSleep: false, reuseAuthorizations: false } },
  });
  dns = inAccount(d.local, dnsAccount);
  for (const name of theirs) zoneIds[name] = await createHostedZone(dns, name);
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
    cname('told.example.com', 'told.example.org'),
    cname('loop.example.com', '_acme-challenge.loop.example.net'),
    cname('forbidden.example.com', 'www.example.net'),
    {
      Name: '_acme-challenge.weighted.example.com',
      Type: 'TXT',
      TTL: 60,
      SetIdentifier: 'blue',
      Weight: 1,
      ResourceRecords: [{ Value: '"theirs"' }],
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
      ...ours.map((name) => ({ name, id: idOf(name) })),
      { name: 'example.net', id: idOf('example.net'), roleArn: roleArn('challenges'), externalId },
      {
        name: 'example.org',
        id: idOf('example.org'),
        roleArn: roleArn('challenges'),
        externalId,
        challengesOnly: true,
      },
      { name: 'distrusted.test', id: idOf('distrusted.test'), roleArn: roleArn('distrusting') },
      { name: 'missing.test', id: idOf('missing.test'), roleArn: roleArn('nobody') },
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
      ...(name === 'told' && { challengeAlias: 'told.example.org' }),
    })),
  });
});
afterAll(async () => {
  await d?.stop();
});

/** TXT sets of all zones; the one of somebody else stays for ever. */
async function txtOfAll(): Promise<Record<string, string[]>> {
  const zones = await Promise.all([...ours, ...theirs].map((zone) => d.txt(zone)));
  return Object.assign({}, ...zones);
}
const nothingOfOurs = { '_acme-challenge.weighted.example.com': ['theirs'] };
const settled = { lease: null, order: null, leftovers: [], failure: null };

describe('a certificate is issued', () => {
  test.each(['both', 'delegated', 'told', 'deleted', 'withdrawn'] as const)(
    'that is %s, and nothing is left in DNS',
    async (name) => {
      expect((await d.secret(name)).identifiers).toEqual(certificates[name]);
      expect(await d.ledger(name)).toMatchObject(settled);
      expect(await txtOfAll()).toEqual(nothingOfOurs);
    },
  );

  test('again, with the zones of the other account written by its role and by nobody else', async () => {
    const mark = (await d.local.aws.apiCalls()).length;
    expect(await d.renew({ certificate: 'both', force: true })).toMatchObject({ status: 'SUCCEEDED' });
    const calls = (await d.local.aws.apiCalls(mark)).filter(({ caller }) => caller.includes(':assumed-role/'));
    const writers = calls.filter(({ operation }) => operation === 'ChangeResourceRecordSets');
    const theirSession = expect.stringMatching(
      `^arn:aws:sts::${dnsAccount}:assumed-role/challenges/perennial-Perennial-CertificatesChallengeFunction`,
    );
    // Two zones, each written and cleaned.
    expect(writers.map(({ caller }) => caller).toSorted()).toEqual([
      ...Array.from({ length: 2 }, () => expect.stringContaining(`::${d.local.aws.accountId}:assumed-role/Perennial-`)),
      theirSession,
      theirSession,
    ]);
    const assuming = calls.filter(({ operation }) => operation === 'AssumeRole').map(({ caller }) => caller);
    expect(assuming.every((caller) => caller.includes('ChallengeRole'))).toBe(true);
    expect(calls.filter(({ status }) => status >= 400)).toEqual([]);
  });
});

/** A renewal that fails before there is an order, or cleans up after itself. */
async function failing(certificate: keyof typeof certificates) {
  const mark = d.local.pebble.requests().length;
  const { status, error, cause = '' } = await d.renew({ certificate, force: true });
  expect(status).toBe('FAILED');
  expect(await txtOfAll()).toEqual(nothingOfOurs);
  expect(await d.ledger(certificate)).toMatchObject({ lease: null, leftovers: [] });
  return { error, cause, orders: requestsOfOrders(d, mark) };
}

describe('a role that cannot be assumed is named with its zone, before there is an order', () => {
  test.each([
    ['its trust is in another role', 'distrusted', 'distrusted.test', 'distrusting'],
    ['it is missing', 'missing', 'missing.test', 'nobody'],
    ['it wants another external id', 'external', 'external.test', 'challenges'],
  ] as const)('because %s', async (_, certificate, zone, role) => {
    const { error, cause, orders } = await failing(certificate);
    expect(error).toBe('RoleNotAssumedError');
    expect(cause).toContain(`hosted zone ${idOf(zone)} of ${zone}: role ${roleArn(role)} cannot be assumed`);
    expect(cause).not.toContain('the-shop');
    expect(orders).toBe(0);
  });
});

test('a private zone is refused by its name, before there is an order', async () => {
  const { error, cause, orders } = await failing('private');
  expect({ error, orders }).toEqual({ error: 'ZoneNotFoundError', orders: 0 });
  expect(cause).toContain(`hosted zone ${idOf('private.test')} of private.test`);
  expect(cause).toContain('it is a private zone');
});

describe('one of two zones fails, since its role may not prove that name:', () => {
  /** Statuses of what was asked to be written with credentials of our account, and of theirs. */
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
    return { ours: statuses(d.local.aws.accountId), theirs: statuses(dnsAccount) };
  }

  test('both are named, and the other’s value is written and removed', { timeout: 240_000 }, async () => {
    // Pebble lists the authorizations of an order in any order, and zones are written in that: ours comes first in every second try.
    for (let tries = 0; tries < 20; tries += 1) {
      const { ours, theirs } = await failingHalf();
      expect(theirs).toEqual([403]);
      if (ours.length === 0) continue;
      expect(ours).toEqual([200, 200]);
      return;
    }
    expect.fail('In twenty tries the CA never named our zone first.');
  });
});

test('a role deleted while its value stands in DNS leaves it to the ledger, and made anew under its name it is trusted again', async () => {
  const show = d.local.dns.hide({ view: 'authoritative', name: '_acme-challenge.withdrawn.example.com' });
  const arn = await d.start({ certificate: 'withdrawn', force: true });
  await reaches(d, arn, 'Wait for propagation');
  await deleteStack(dns, 'challenges');
  show();
  expect(await d.ended(arn)).toMatchObject({
    status: 'FAILED',
    error: expect.stringMatching(/AccessDenied|RoleNotAssumed/),
  });
  const left = Object.keys(await txtOfAll());
  expect(left).toEqual(['_acme-challenge.weighted.example.com', '_acme-challenge.w.withdrawn.example.net']);
  expect((await d.ledger('withdrawn')).leftovers.map(({ name }) => name)).toEqual(left.slice(1));

  await deployRole('challenges', challenges());
  expect(await d.renew({ certificate: 'withdrawn', force: true })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await d.ledger('withdrawn')).toMatchObject(settled);
  expect(await txtOfAll()).toEqual(nothingOfOurs);
});

test('a zone deleted since the deploy is named, and the certificate that is there stays', async () => {
  const before = await d.secret('deleted');
  await new Route53Client(d.local.clientConfig).send(new DeleteHostedZoneCommand({ Id: idOf('deleted.test') }));
  const { error, cause, orders } = await failing('deleted');
  expect(error).toBe('ZoneNotFoundError');
  expect(cause).toContain(`Hosted zone ${idOf('deleted.test')} does not exist`);
  expect(cause).toContain('deleted.test');
  expect(orders).toBe(0);
  expect(await d.secret('deleted')).toEqual(before);
});

test('a CNAME is followed and left where it is', async () => {
  const zone = (await d.local.aws.hostedZones()).find(({ id }) => id === idOf('example.com'));
  expect(zone?.records.filter(({ type }) => type === 'CNAME').map(({ name, values }) => [name, ...values])).toEqual(
    expect.arrayContaining([['_acme-challenge.delegated.example.com.', '0a1b2c.example.org']]),
  );
});

describe('a CNAME is named, before there is an order,', () => {
  test('that goes round in a circle', async () => {
    const { error, cause, orders } = await failing('loop');
    expect(error).toBe('ChallengeAliasError');
    expect(cause).toMatch(/_acme-challenge\.loop\.example\.com.*_acme-challenge\.loop\.example\.net.*circle/);
    expect(orders).toBe(0);
  });

  test('that leads to a name that may not be written, with the record to make', async () => {
    const { error, cause, orders } = await failing('forbidden');
    expect(error).toBe('ChallengeAliasError');
    expect(cause).toMatch(/www\.example\.net.*may not be written/);
    expect(cause).toContain('_acme-challenge.forbidden.example.com. 300 IN CNAME');
    expect(orders).toBe(0);
  });
});

test('a set with a routing policy in the place of ours is named and left as it is', async () => {
  const { error, cause } = await failing('weighted');
  expect(error).toBe('RecordSetRefusedError');
  expect(cause).toContain('_acme-challenge.weighted.example.com in hosted zone');
  expect(cause).toContain('routing policy');
});

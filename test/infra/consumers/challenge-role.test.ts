import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { HostedZone, PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import { describe, expect, test } from 'vitest';
import { ChallengeRole, type ChallengeRoleProps } from '../../../infra/consumers/challenge-role.ts';
import { CertificateRenewal } from '../../../infra/index.ts';
import { type Expected, expectMistakes } from '../mistakes.ts';
import { type Context, simulate } from '../policy-simulator.ts';
import {
  changeKeys,
  ofType,
  type PolicyDocument,
  policiesOf,
  type Resource,
  resolve,
  type Synthesized,
  smallConfig,
} from '../synthesized.ts';

const ourAccount = '111111111111';
const theirAccount = '222222222222';
const trustedRole = `arn:aws:iam::${ourAccount}:role/Perennial-ChallengeRole-AbC123`;
const session = (role: string) =>
  `${role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/perennial-challenge`;
const props: ChallengeRoleProps = {
  trustedRole,
  externalId: 'the-shop-0815',
  hostedZones: [
    { id: 'Z0COM', name: 'example.com' },
    { id: 'Z0AUTH', name: 'auth.example.org', challengesOnly: true },
  ],
  names: ['Example.com.', '*.example.com', 'www.example.com', 'bücher.example.com'],
};

type Made = Pick<Synthesized, 'resources'>;

function make(given: ChallengeRoleProps | ((stack: Stack) => ChallengeRoleProps)): Made {
  const outdir = mkdtempSync(join(tmpdir(), 'perennial-synth-'));
  try {
    const app = new App({ outdir });
    const stack = new Stack(app, 'Zones');
    new ChallengeRole(stack, 'Challenge', typeof given === 'function' ? given(stack) : given);
    return { resources: app.synth().getStackByName('Zones').template.Resources };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

const made = make(props);
const roleOf = ({ resources }: Made) => ofType(resources, 'AWS::IAM::Role')[0]?.[1].Properties ?? {};
const roleArn = `arn:aws:iam::${theirAccount}:role/challenges`;

/** Returns whether the role's policies allow this. */
function allows(action: string, resource: string, contextVariables: Context = {}) {
  const { inline, managed } = policiesOf('Challenge', made);
  return simulate({
    request: { principal: roleArn, action, resource: { resource, accountId: theirAccount }, contextVariables },
    identityPolicies: [...inline, ...managed].map((policy, index) => ({ name: `policy-${index}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  });
}

/** Returns whether this role may assume the challenge role, if its own policies allow everything. */
function trusts(role: string, externalId?: string) {
  const policy = resolve(roleOf(made).AssumeRolePolicyDocument, made.resources) as PolicyDocument;
  return simulate({
    request: {
      principal: session(role),
      action: 'sts:AssumeRole',
      resource: { resource: roleArn, accountId: theirAccount },
      contextVariables: {
        'aws:PrincipalArn': role,
        ...(externalId !== undefined && { 'sts:ExternalId': externalId }),
      },
    },
    identityPolicies: [
      { name: 'all', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } },
    ],
    resourcePolicy: policy,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  });
}

describe('the trust policy of the role', () => {
  test('allows the role of the challenge function with the external id', async () => {
    expect(await trusts(trustedRole, 'the-shop-0815')).toBe(true);
  });

  test.each([
    ['the role without the external id', trustedRole, undefined],
    ['the role with another external id', trustedRole, 'the-shop-0816'],
    ['another role of that account', `arn:aws:iam::${ourAccount}:role/Perennial-CheckRole-AbC123`, 'the-shop-0815'],
    ['a role whose name has the same beginning', `${trustedRole}4`, 'the-shop-0815'],
    ['a role with the same name in another account', trustedRole.replace(ourAccount, '333333333333'), 'the-shop-0815'],
    ['the root user of that account', `arn:aws:iam::${ourAccount}:root`, 'the-shop-0815'],
  ])('denies %s', async (_, role, externalId) => {
    expect(await trusts(role, externalId)).toBe(false);
  });

  test('names the account as principal, because a role as principal would have to exist first', () => {
    expect(JSON.stringify(roleOf(made).AssumeRolePolicyDocument)).toContain(`:iam::${ourAccount}:root`);
  });
});

describe('the role', () => {
  const com = 'arn:aws:route53:::hostedzone/Z0COM';
  const auth = 'arn:aws:route53:::hostedzone/Z0AUTH';
  const change = (zone: string, actions: readonly string[], names: readonly string[], type = 'TXT', without = '') => {
    const keys = changeKeys({ Actions: actions, NormalizedRecordNames: names, RecordTypes: [type] }, without);
    return allows('route53:ChangeResourceRecordSets', zone, keys);
  };
  const challenge = '_acme-challenge.example.com';

  test.each([
    ['create a challenge record', com, ['CREATE'], [challenge]],
    ['replace one challenge record', com, ['DELETE', 'CREATE'], [challenge]],
    [
      'write all challenge records of a zone in one batch',
      com,
      ['DELETE', 'CREATE'],
      [challenge, '_acme-challenge.www.example.com', '_acme-challenge.xn--bcher-kva.example.com'],
    ],
    ['write any name in a zone with challengesOnly', auth, ['CREATE', 'DELETE'], ['0a1b.auth.example.org']],
  ])('may %s', async (_, zone, actions, names) => {
    expect(await change(zone, actions, names)).toBe(true);
  });

  test.each([
    ['overwrite a challenge record', com, ['UPSERT'], [challenge], 'TXT'],
    ['overwrite a record in a zone with challengesOnly', auth, ['UPSERT'], ['0a1b.auth.example.org'], 'TXT'],
    [
      'write a challenge for a name that is not configured',
      com,
      ['CREATE'],
      ['_acme-challenge.api.example.com'],
      'TXT',
    ],
    [
      'write a challenge for a name below a configured one',
      com,
      ['CREATE'],
      ['_acme-challenge.a.www.example.com'],
      'TXT',
    ],
    [
      'write a challenge for a configured name and another name together',
      com,
      ['CREATE'],
      [challenge, '_acme-challenge.api.example.com'],
      'TXT',
    ],
    ['write a record without the challenge label', com, ['CREATE'], ['example.com'], 'TXT'],
    ['write a record of another type', com, ['CREATE'], [challenge], 'CNAME'],
    ['write a record of another type in a zone with challengesOnly', auth, ['CREATE'], ['0a1b.auth.example.org'], 'NS'],
    ['write in another zone', 'arn:aws:route53:::hostedzone/Z0OTHER', ['CREATE'], [challenge], 'TXT'],
  ])('may not %s', async (_, zone, actions, names, type) => {
    expect(await change(zone, actions, names, type)).toBe(false);
  });

  test.each([com, auth])('may not change %s if the request has no condition keys', async (zone) => {
    expect(await allows('route53:ChangeResourceRecordSets', zone)).toBe(false);
  });

  test.each([
    ['Actions', com],
    ['NormalizedRecordNames', com],
    ['RecordTypes', com],
    ['Actions', auth],
    ['RecordTypes', auth],
  ])('may not change anything in a request without the condition key %s in %s', async (without, zone) => {
    expect(await change(zone, ['CREATE'], [challenge], 'TXT', without)).toBe(false);
  });

  test('may read its zones, their records and changes, and nothing else', async () => {
    for (const zone of [com, auth]) {
      expect(await allows('route53:GetHostedZone', zone)).toBe(true);
      expect(await allows('route53:ListResourceRecordSets', zone)).toBe(true);
      expect(await allows('route53:DeleteHostedZone', zone)).toBe(false);
    }
    expect(await allows('route53:GetChange', 'arn:aws:route53:::change/C123')).toBe(true);
    expect(await allows('route53:ListResourceRecordSets', 'arn:aws:route53:::hostedzone/Z0OTHER')).toBe(false);
  });

  test('may have zones of the same app, whose ids are tokens', () => {
    const { resources } = make((stack) => {
      const zone = new HostedZone(stack, 'Zone', { zoneName: 'example.com' });
      return { trustedRole, hostedZones: [{ id: zone.hostedZoneId, name: zone.zoneName }], names: ['example.com'] };
    });
    expect(JSON.stringify(ofType(resources, 'AWS::IAM::Policy'))).toMatch(
      /hostedzone\/","?\},?\{"Ref":"Zone|hostedzone\/",\{"Ref":"Zone/,
    );
  });
});

test('the trusted role may be in the same app', () => {
  const app = new App();
  const renewals = new Stack(app, 'Renewals', { env: { account: ourAccount, region: 'eu-central-1' } });
  const zones = new Stack(app, 'Zones', { env: { account: theirAccount, region: 'eu-central-1' } });
  const renewal = new CertificateRenewal(renewals, 'Certificates', { ...smallConfig, encryptionKey: undefined });
  new ChallengeRole(zones, 'Challenge', { ...props, trustedRole: renewal.challengeRole.roleArn });
  const { Resources } = app.synth().getStackByName('Zones').template as { Resources: Record<string, Resource> };
  const policy = JSON.stringify(ofType(Resources, 'AWS::IAM::Role')[0]?.[1].Properties.AssumeRolePolicyDocument);
  expect(policy).toMatch(
    /"aws:PrincipalArn":\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},":iam::111111111111:role\/renewals/,
  );
});

describe('props are rejected for', () => {
  const expectRejected = (given: Partial<ChallengeRoleProps>, ...expected: readonly Expected[]) =>
    expectMistakes(
      () => new ChallengeRole(new Stack(new App(), 'Zones'), 'Challenge', { ...props, ...given }),
      ...expected,
    );

  test.each([
    ['a wildcard', `arn:aws:iam::${ourAccount}:role/*`],
    ['a session of a role', `arn:aws:sts::${ourAccount}:assumed-role/challenge/us`],
    ['an account', `arn:aws:iam::${ourAccount}:root`],
    ['a user', `arn:aws:iam::${ourAccount}:user/anna`],
    ['no account', 'arn:aws:iam::role/challenges'],
    ['every principal', '*'],
  ])('%s as the trusted role', (_, arn) => {
    expectRejected({ trustedRole: arn }, ['trustedRole', JSON.stringify(arn), 'the ARN of an IAM role']);
  });

  test('names outside of its zones, zones without names, and a short external id', () => {
    expectRejected(
      { externalId: 'x', names: ['example.net', 'a..example.com'] },
      ['externalId', '"x"', '2 to 64 letters'],
      ['names[0]', '"example.net"', 'no hosted zone'],
      ['names[1]', '"a..example.com"', 'empty label'],
    );
    expectRejected({ names: [] }, ['hostedZones[0]', '"example.com"', 'none of names', 'challengesOnly']);
  });

  test('a private zone of the app', () => {
    const stack = new Stack();
    const zone = new PrivateHostedZone(stack, 'Zone', { zoneName: 'example.com', vpc: new Vpc(stack, 'Vpc') });
    expectRejected({ hostedZones: [zone] }, ['hostedZones[0]', 'private', 'public hosted zone']);
  });

  test('an empty list of zones', () => {
    expectRejected({ hostedZones: [], names: [] }, ['hostedZones', 'an empty list', 'at least one']);
  });

  test('more names in a zone than a policy statement can hold', () => {
    const names = Array.from({ length: 130 }, (_, index) => `name-number-${index}.example.com`);
    expectRejected({ names }, ['names', '130 names', 'example.com', '5400', 'CNAMEs', 'challengesOnly']);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { describe, expect, test } from 'vitest';
import { ConfigError, type HostedZoneConfig } from '../../../infra/config/check-config.ts';
import { ChallengeRole, type ChallengeRoleProps } from '../../../infra/consumers/challenge-role.ts';
import { CertificateRenewal } from '../../../infra/index.ts';
import {
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

async function simulate(simulation: Simulation): Promise<boolean> {
  const reply = await runSimulation(simulation, {});
  if (reply.resultType === 'error') throw new Error(JSON.stringify(reply));
  return reply.overallResult === 'Allowed';
}

/** May the role do this? */
function allows(action: string, resource: string, contextVariables: Simulation['request']['contextVariables'] = {}) {
  const { inline, managed } = policiesOf('Challenge', made);
  return simulate({
    request: { principal: roleArn, action, resource: { resource, accountId: theirAccount }, contextVariables },
    identityPolicies: [...inline, ...managed].map((policy, index) => ({ name: `policy-${index}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  });
}

/** May this role assume it, whose own policies allow it anything? */
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

describe('the trust of the role', () => {
  test('is in the challenge function’s role with the external id', async () => {
    expect(await trusts(trustedRole, 'the-shop-0815')).toBe(true);
  });

  test.each([
    ['without the external id', trustedRole, undefined],
    ['with another external id', trustedRole, 'the-shop-0816'],
    ['in another role of that account', `arn:aws:iam::${ourAccount}:role/Perennial-CheckRole-AbC123`, 'the-shop-0815'],
    ['in a role whose name begins so', `${trustedRole}4`, 'the-shop-0815'],
    ['in a role of that name elsewhere', trustedRole.replace(ourAccount, '333333333333'), 'the-shop-0815'],
    ['in root of that account', `arn:aws:iam::${ourAccount}:root`, 'the-shop-0815'],
  ])('is not %s', async (_, role, externalId) => {
    expect(await trusts(role, externalId)).toBe(false);
  });

  test('names no role as principal, which would have to exist before', () => {
    expect(JSON.stringify(roleOf(made).AssumeRolePolicyDocument)).toContain(`:iam::${ourAccount}:root`);
  });
});

describe('the role', () => {
  const com = 'arn:aws:route53:::hostedzone/Z0COM';
  const auth = 'arn:aws:route53:::hostedzone/Z0AUTH';
  const change = (zone: string, actions: readonly string[], names: readonly string[], type = 'TXT') =>
    allows('route53:ChangeResourceRecordSets', zone, {
      'route53:ChangeResourceRecordSetsActions': [...actions],
      'route53:ChangeResourceRecordSetsNormalizedRecordNames': [...names],
      'route53:ChangeResourceRecordSetsRecordTypes': [type],
    });
  const proof = '_acme-challenge.example.com';

  test.each([
    ['create a proof', com, ['CREATE'], [proof]],
    ['swap one for another', com, ['DELETE', 'CREATE'], [proof]],
    [
      'write all proofs of a zone in one batch',
      com,
      ['DELETE', 'CREATE'],
      [proof, '_acme-challenge.www.example.com', '_acme-challenge.xn--bcher-kva.example.com'],
    ],
    ['write any name where nothing but challenges is', auth, ['CREATE', 'DELETE'], ['0a1b.auth.example.org']],
  ])('may %s', async (_, zone, actions, names) => {
    expect(await change(zone, actions, names)).toBe(true);
  });

  test.each([
    ['overwrite a proof', com, ['UPSERT'], [proof], 'TXT'],
    ['overwrite where nothing but challenges is', auth, ['UPSERT'], ['0a1b.auth.example.org'], 'TXT'],
    ['prove a name that is not among names', com, ['CREATE'], ['_acme-challenge.api.example.com'], 'TXT'],
    ['prove a name below one of them', com, ['CREATE'], ['_acme-challenge.a.www.example.com'], 'TXT'],
    [
      'prove one that is not among them beside one that is',
      com,
      ['CREATE'],
      [proof, '_acme-challenge.api.example.com'],
      'TXT',
    ],
    ['write another name', com, ['CREATE'], ['example.com'], 'TXT'],
    ['write a record of another type', com, ['CREATE'], [proof], 'CNAME'],
    ['write one of another type where nothing but challenges is', auth, ['CREATE'], ['0a1b.auth.example.org'], 'NS'],
    ['write in another zone', 'arn:aws:route53:::hostedzone/Z0OTHER', ['CREATE'], [proof], 'TXT'],
  ])('may not %s', async (_, zone, actions, names, type) => {
    expect(await change(zone, actions, names, type)).toBe(false);
  });

  test.each([com, auth])('may not change %s when the request does not say what it changes', async (zone) => {
    expect(await allows('route53:ChangeResourceRecordSets', zone)).toBe(false);
  });

  test('may see its zones, their records and changes, and nothing else', async () => {
    for (const zone of [com, auth]) {
      expect(await allows('route53:GetHostedZone', zone)).toBe(true);
      expect(await allows('route53:ListResourceRecordSets', zone)).toBe(true);
      expect(await allows('route53:DeleteHostedZone', zone)).toBe(false);
    }
    expect(await allows('route53:GetChange', 'arn:aws:route53:::change/C123')).toBe(true);
    expect(await allows('route53:ListResourceRecordSets', 'arn:aws:route53:::hostedzone/Z0OTHER')).toBe(false);
  });

  test('takes zones of the same app, whose ids are tokens', () => {
    const { resources } = make((stack) => {
      const zone = new HostedZone(stack, 'Zone', { zoneName: 'example.com' });
      return { trustedRole, hostedZones: [{ id: zone.hostedZoneId, name: zone.zoneName }], names: ['example.com'] };
    });
    expect(JSON.stringify(ofType(resources, 'AWS::IAM::Policy'))).toMatch(
      /hostedzone\/","?\},?\{"Ref":"Zone|hostedzone\/",\{"Ref":"Zone/,
    );
  });
});

test('a role that is trusted in the same app needs no ARN by hand', () => {
  const app = new App();
  const ours = new Stack(app, 'Ours', { env: { account: ourAccount, region: 'eu-central-1' } });
  const theirs = new Stack(app, 'Theirs', { env: { account: theirAccount, region: 'eu-central-1' } });
  const renewal = new CertificateRenewal(ours, 'Certificates', { ...smallConfig, encryptionKey: undefined });
  new ChallengeRole(theirs, 'Challenge', { ...props, trustedRole: renewal.challengeRole.roleArn });
  const { Resources } = app.synth().getStackByName('Theirs').template as { Resources: Record<string, Resource> };
  const policy = JSON.stringify(ofType(Resources, 'AWS::IAM::Role')[0]?.[1].Properties.AssumeRolePolicyDocument);
  expect(policy).toMatch(
    /"aws:PrincipalArn":\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},":iam::111111111111:role\/ours/,
  );
});

describe('mistakes are told at synth, all of them', () => {
  const mistakesOf = (given: Partial<ChallengeRoleProps>): readonly string[] => {
    try {
      new ChallengeRole(new Stack(new App(), 'Zones'), 'Challenge', { ...props, ...given });
    } catch (error) {
      if (error instanceof ConfigError) return error.mistakes;
      throw error;
    }
    return [];
  };

  test.each([
    ['a wildcard', `arn:aws:iam::${ourAccount}:role/*`],
    ['a session of a role', `arn:aws:sts::${ourAccount}:assumed-role/challenge/us`],
    ['an account', `arn:aws:iam::${ourAccount}:root`],
    ['a user', `arn:aws:iam::${ourAccount}:user/anna`],
    ['no account', 'arn:aws:iam::role/challenges'],
    ['everybody', '*'],
  ])('%s for a trusted role', (_, arn) => {
    expect(mistakesOf({ trustedRole: arn })).toEqual([
      `trustedRole: found ${JSON.stringify(arn)}, allowed: the ARN of an IAM role, arn:aws:iam::<account>:role/<name>`,
    ]);
  });

  test('names that no zone holds, zones without a name, and an external id of one character', () => {
    expect(mistakesOf({ externalId: 'x', names: ['example.net', 'a..example.com'] })).toEqual([
      'externalId: found "x", allowed: 2 to 64 letters, digits and +=,.@:/-',
      'names[0]: found "example.net", allowed: a name that lies in one of hostedZones',
      'names[1]: found "a..example.com", which has an empty label, allowed: a name to be proven',
    ]);
    expect(mistakesOf({ names: [] })).toEqual([
      'hostedZones[0]: found "example.com", in which none of names lies, allowed: zones with names, or challengesOnly',
    ]);
  });

  test('a construct for a zone, by its private members and with every name', () => {
    const zone: object = new HostedZone(new Stack(), 'Zone', { zoneName: 'example.com' });
    expect(mistakesOf({ hostedZones: [zone as HostedZoneConfig] })).toEqual([
      "hostedZones[0]: found a construct, allowed: { id: zone.hostedZoneId, name: 'example.com' }",
    ]);
  });

  test('no zone', () => {
    expect(mistakesOf({ hostedZones: [], names: [] })).toEqual([
      'hostedZones: found an empty list, allowed: one zone or more',
    ]);
  });

  test('more names in a zone than a statement holds', () => {
    const names = Array.from({ length: 130 }, (_, index) => `name-number-${index}.example.com`);
    expect(mistakesOf({ names })).toEqual([
      expect.stringMatching(/^names: found 130 in example\.com, 5\d{3} characters, allowed: 5400, or CNAMEs into/),
    ]);
  });
});

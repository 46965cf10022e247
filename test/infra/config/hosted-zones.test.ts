import { Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import { type Expected, expectMistakes } from '../mistakes.ts';
import { base, token, withZones } from './configs.ts';

const third = { id: 'Z0000000003', name: 'example.org' };

describe('a hosted zone is rejected for', () => {
  test.each<readonly [string, unknown, ...Expected[]]>([
    ['an unknown key', withZones({ ...third, nme: 1 }), ['hostedZones[2].nme', 'did you mean "name"?', 'id, name']],
    [
      'the key of a CDK zone',
      withZones({ ...third, zoneName: 1 }),
      ['hostedZones[2].zoneName', 'did you mean "name"?'],
    ],
    [
      'a duplicate name',
      withZones({ ...third, name: 'EXAMPLE.com.' }),
      ['hostedZones[2].name', 'duplicate', '"EXAMPLE.com."', 'hostedZones[0]', 'parent zone'],
    ],
    [
      'a duplicate id',
      withZones({ ...third, id: 'Z0000000001' }),
      ['hostedZones[2].id', 'duplicate', '"Z0000000001"', 'hostedZones[0]', 'once'],
    ],
    [
      'being another construct, without naming its private members',
      { ...base, hostedZones: [new Stack()] },
      ['hostedZones[0]', 'a construct', 'IHostedZone'],
    ],
    [
      'an id with its prefix',
      withZones({ ...third, id: '/hostedzone/Z0000000003' }),
      ['hostedZones[2].id', '"/hostedzone/Z0000000003"', 'without /hostedzone/'],
    ],
    ['a missing id', withZones({ name: 'example.org' }), ['hostedZones[2].id', 'missing', 'the id of a Route 53']],
    ['a wildcard as its name', withZones({ ...third, name: '*.example.org' }), ['hostedZones[2].name', 'wildcard']],
    [
      'an invalid role',
      withZones({ ...third, roleArn: 'arn:aws:iam::1:role/x' }),
      ['hostedZones[2].roleArn', '"arn:aws:iam::1:role/x"', 'the ARN of an IAM role'],
    ],
    [
      'an external id without a role',
      withZones({ ...third, externalId: 'abc' }),
      ['hostedZones[2].externalId', 'without a role', 'roleArn'],
    ],
    ['a token as name', withZones({ ...third, name: token }), ['hostedZones[2].name', 'CDK token', 'known at synth']],
  ])('%s', (_, config, ...expected) => {
    expectMistakes(() => checkConfig(config), ...(expected as Expected[]));
  });
});

test('a checked hosted zone has its role and its restriction to challenges only if they are configured', () => {
  const role = 'arn:aws:iam::444455556666:role/challenges';
  const { deployed } = checkConfig(
    withZones(
      { id: 'Z0000000003', name: 'acme.example.org', challengesOnly: true },
      { id: 'Z0000000004', name: 'example.edu', roleArn: role, externalId: 'perennial/1' },
    ),
  );
  expect(deployed.hostedZones).toEqual([
    ...base.hostedZones,
    { id: 'Z0000000003', name: 'acme.example.org', challengesOnly: true },
    { id: 'Z0000000004', name: 'example.edu', role: { arn: role, externalId: 'perennial/1' } },
  ]);
});

import { readFileSync } from 'node:fs';
import { Key } from 'aws-cdk-lib/aws-kms';
import { describe, expect, test } from 'vitest';
import type { CertificateRenewal } from '../../infra/index.ts';
import { ofType, type PolicyDocument, policiesOf, smallConfig, synthesize } from './synthesized.ts';

/** A stack with every feature that adds a role or a statement. */
const synthesized = synthesize(
  {
    ...smallConfig,
    notifications: { email: ['ops@example.com'] },
    hostedZones: [
      { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
      { id: 'Z0ONLY', name: 'auth.example.org', challengesOnly: true },
      { id: 'Z0THEIRS', name: 'example.net', roleArn: 'arn:aws:iam::222222222222:role/challenges' },
    ],
    certificates: [
      {
        name: 'www',
        identifiers: ['example.com'],
        acm: ['us-east-1'],
        readers: ['arn:aws:iam::222222222222:role/reader'],
        replicas: ['eu-west-1'],
      },
    ],
  },
  (stack) => (stack.node.findChild('Certificates') as CertificateRenewal).certificate('www', 'us-east-1'),
  (stack) => new Key(stack, 'Key', { enableKeyRotation: true }),
);
const roles = ofType(synthesized.resources, 'AWS::IAM::Role').map(([id]) => id);
const statementsOf = (role: string): PolicyDocument['Statement'] => {
  const { inline, managed } = policiesOf(role, synthesized);
  return [...inline, ...managed].flatMap(({ Statement }) => Statement);
};
const actionsOf = (role: string) => statementsOf(role).flatMap(({ Action }) => listOf(Action));
const listOf = (value: unknown) => [value].flat() as string[];

describe('the statements of all roles', () => {
  test('name each action, without wildcards', () => {
    for (const role of roles)
      for (const { Action, NotAction, NotResource } of statementsOf(role)) {
        expect([NotAction, NotResource], role).toEqual([undefined, undefined]);
        expect(listOf(Action).filter((action) => action.includes('*'))).toEqual([]);
      }
  });

  test('allow on all resources only what knows no resources', () => {
    const actions = roles.flatMap((role) =>
      statementsOf(role).flatMap(({ Action, Resource }) => (listOf(Resource).includes('*') ? listOf(Action) : [])),
    );
    expect([...new Set(actions)].toSorted()).toEqual([
      'acm:ListCertificates',
      // Step Functions delivers logs with these. https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('delete no secret, no certificate, no item and no table', () => {
    const deleting = roles.flatMap(actionsOf).filter((action) => /:(Delete|Remove|Stop|Cancel)/.test(action));
    expect([...new Set(deleting)].toSorted()).toEqual([
      'logs:DeleteLogDelivery',
      'secretsmanager:DeleteResourcePolicy',
      'secretsmanager:RemoveRegionsFromReplication',
      'sqs:DeleteMessage',
      'states:StopExecution',
    ]);
  });

  test.each([
    ['secretsmanager:GetSecretValue', ['Order', 'Certificate', 'Delivery']],
    ['secretsmanager:PutSecretValue', ['Order', 'Certificate']],
    ['route53:ChangeResourceRecordSets', ['Challenge']],
    ['sts:AssumeRole', ['Challenge']],
    ['acm:ImportCertificate', ['Delivery']],
    ['states:StopExecution', ['ExecutionsStop']],
  ])('allow %s to %j only', (action, expected) => {
    const allowed = roles.filter((role) => actionsOf(role).includes(action));
    expect(allowed.map((role) => role.replace(/^Certificates|Role\w*$/g, ''))).toEqual(expected);
  });

  test('are the only ones, because no role has a policy of AWS or a policy of its own in the template', () => {
    for (const [id, { Properties }] of ofType(synthesized.resources, 'AWS::IAM::Role'))
      expect([Properties.ManagedPolicyArns, Properties.Policies], id).toEqual([undefined, undefined]);
  });
});

/** Services that Lambda, or another service for the function, calls with the role. */
const notCalled = /^(logs|xray|kms|sqs):/;

test.each(
  ofType(synthesized.resources, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
    const { Environment, Role } = Properties as {
      readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
      readonly Role: { readonly 'Fn::GetAtt': readonly [string, string] };
    };
    const folder = Environment?.Variables.POWERTOOLS_SERVICE_NAME;
    return folder ? [[id, folder, Role['Fn::GetAtt'][0]] as const] : [];
  }),
)('the role of %s allows only what its bundle %s can call', (_, folder, role) => {
  const bundle = readFileSync(`dist/functions/${folder}/index.mjs`, 'utf8');
  const allowed = actionsOf(role);
  expect(allowed.length).toBeGreaterThan(3);
  const unused = allowed.filter(
    (action) => !notCalled.test(action) && !bundle.includes(`"${action.replace(/^\w+:/, '')}"`),
  );
  expect(unused).toEqual([]);
});

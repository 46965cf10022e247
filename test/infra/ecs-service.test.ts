import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { ServiceStack } from '../../examples/ecs-service/service-stack.ts';

const template = Template.fromStack(
  new ServiceStack(new App(), 'Service', {
    certificate: 'www',
    env: { account: '123456789012', region: 'eu-central-1' },
  }),
);
const secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certificates/www';
/** Inserts the partition into the ARNs of the template. */
const inPartition = (text: string) => JSON.parse(text.replaceAll('{"Ref":"AWS::Partition"}', '"aws"'));
const joined = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(joined);
  if (typeof value !== 'object' || value === null) return value;
  const { 'Fn::Join': join } = value as { readonly 'Fn::Join'?: readonly [string, readonly string[]] };
  if (join?.[1].every((part) => typeof part === 'string')) return join[1].join(join[0]);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, joined(each)]));
};
const resolved = Template.fromJSON(joined(inPartition(JSON.stringify(template.toJSON()))) as object);

describe('the ECS service', () => {
  test('gets certificate and key from ECS as members of the secret', () => {
    const [task] = Object.values(resolved.findResources('AWS::ECS::TaskDefinition'));
    expect(task?.Properties.ContainerDefinitions).toMatchObject([
      {
        Secrets: [
          { Name: 'TLS_CERTIFICATE', ValueFrom: `${secret}:fullChain::` },
          { Name: 'TLS_KEY', ValueFrom: `${secret}:privateKey::` },
        ],
      },
    ]);
  });

  test('may read two stages of this secret, and the task role may read no secret', () => {
    const statements = Object.entries(resolved.findResources('AWS::IAM::Policy')).flatMap(([id, { Properties }]) =>
      (Properties.PolicyDocument.Statement as Record<string, unknown>[])
        .filter(({ Action }) => String(Action).includes('secretsmanager:'))
        .map((statement) => ({ ...statement, id })),
    );
    expect(statements).toEqual([
      {
        id: expect.stringContaining('TaskExecutionRole'),
        Effect: 'Allow',
        Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
        Resource: `${secret}-??????`,
        Condition: {
          StringEqualsIfExists: { 'secretsmanager:VersionStage': ['AWSCURRENT', 'AWSPREVIOUS'] },
          Null: { 'secretsmanager:VersionId': 'true' },
        },
      },
    ]);
  });

  test('is deployed again by a rule and a workflow after its certificate was renewed', () => {
    resolved.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['perennial'],
        'detail-type': ['Certificate Renewed'],
        detail: { certificate: ['www'], current: { secretArn: [{ prefix: secret.replace('www', '') }] } },
      },
      Targets: [{ Arn: { Ref: Match.stringLikeRegexp('^Restart') } }],
    });
    const [machine] = Object.values(resolved.findResources('AWS::StepFunctions::StateMachine'));
    expect(JSON.stringify(machine)).toMatch(/aws-sdk:ecs:updateService/);
    expect(JSON.stringify(machine)).toMatch(/ForceNewDeployment\\+":true/);
    resolved.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          { Effect: 'Allow', Action: 'ecs:updateService', Resource: { Ref: Match.stringLikeRegexp('^Service') } },
        ],
      },
    });
  });

  test('needs no Lambda function', () => {
    expect(resolved.findResources('AWS::Lambda::Function')).toEqual({});
  });
});

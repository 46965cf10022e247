import { describe, expect, test } from 'vitest';
import { commandFor, findDeployment, readReport } from '../../cli/deployment.ts';
import { problemOf } from '../../cli/problems.ts';
import { translated } from '../../lambdas/adapters/aws/translate-errors.ts';
import type { ReportInput, ReportOutput } from '../../lambdas/domain/contract/report.ts';

const found = (...stacks: readonly string[]) => ({
  list: async () =>
    stacks.map((stack) => ({ stack, report: `arn:aws:lambda:eu-west-1:111122223333:function:${stack}` })),
});

describe('the deployment', () => {
  test('is the only one of the region, or the one that --stack names', async () => {
    expect((await findDeployment(found('One'), {})).stack).toBe('One');
    expect((await findDeployment(found('One', 'Two'), { stack: 'Two' })).stack).toBe('Two');
  });

  test.each([
    [[], {}, 'No stack with Perennial was found. Give another --region or --profile, or deploy first.'],
    [['B', 'A'], {}, 'There are 2 stacks with Perennial: A, B. Choose one with --stack.'],
    [['A'], { stack: 'C', region: 'eu-west-1' }, 'The stack C has no Perennial in eu-west-1. These stacks have it: A.'],
    [
      ['A', 'A'],
      { stack: 'A' },
      'The stack A has 2 constructs of Perennial. The command line supports one in a stack.',
    ],
  ])('of %j with %j is a sentence', async (stacks, target, message) => {
    await expect(findDeployment(found(...stacks), target)).rejects.toThrow(message);
  });
});

test.each([
  [{}, '"npx cdk-perennial status"'],
  [
    { stack: 'A', region: 'eu-west-1', profile: 'ops', json: true },
    '"npx cdk-perennial status --stack A --region eu-west-1 --profile ops"',
  ],
])('a command in a message with %j has the options that find the same deployment', (target, command) => {
  expect(commandFor('status', target)).toBe(command);
});

test('a name that is not configured is a message with the command that lists all of this deployment', async () => {
  const deployments = {
    ...found('One'),
    report: async () => ({ certificates: [], unknown: [{ name: 'ww', similar: 'www' }] }) as unknown as ReportOutput,
  };
  await expect(readReport(deployments, { region: 'eu-west-1' }, ['ww'])).rejects.toThrow(
    'No certificate with the name ww is configured. Did you mean www? "npx cdk-perennial status --region eu-west-1" lists all names.',
  );
});

test('the report has the certificates of all pages', async () => {
  const asked: ReportInput[] = [];
  const deployments = {
    ...found('One'),
    report: async (_: string, input: ReportInput) => {
      asked.push(input);
      const certificates = [{ name: `c${input.from}` }];
      return { certificates, unknown: [], next: input.from === 0 ? 100 : null } as unknown as ReportOutput;
    },
  };
  const { certificates } = await readReport(deployments, {});
  expect(certificates.map(({ name }) => name)).toEqual(['c0', 'c100']);
  expect(asked).toEqual([
    { names: null, from: 0 },
    { names: null, from: 100 },
  ]);
});

describe('a problem', () => {
  const call = {
    action: 'lambda:InvokeFunction',
    resource: 'function arn:aws:lambda:eu-west-1:111122223333:function:Report',
  };
  const awsError = (name: string, message: string) => translated(Object.assign(new Error(message), { name }), call);

  test.each([
    [
      'a denied call, with the statement that allows it',
      awsError('AccessDeniedException', 'Not authorized.'),
      4,
      'Your credentials may not call lambda:InvokeFunction. Not authorized.\nThis statement in a policy of yours allows it:\n{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:Report"}',
    ],
    [
      'expired credentials',
      awsError('ExpiredTokenException', 'The token has expired.'),
      4,
      'AWS does not accept your credentials. The token has expired. Sign in again, or give another --profile.',
    ],
    [
      'missing credentials',
      awsError('CredentialsProviderError', 'Could not load credentials from any providers'),
      4,
      'No AWS credentials were found. Could not load credentials from any providers. Sign in again, or give another --profile.',
    ],
    [
      'a missing region',
      new Error('Region is missing'),
      4,
      'No region is set. Give --region, or set AWS_REGION or a region in the profile.',
    ],
    [
      'a throttled call',
      awsError('TooManyRequestsException', 'Rate exceeded.'),
      4,
      'AWS limits the number of calls. Rate exceeded. Run the command again in some minutes.',
    ],
    [
      'a call without an answer',
      translated(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), call),
      4,
      'AWS does not answer. connect ECONNREFUSED. Check the network and the region, and run the command again.',
    ],
    ['an unknown error', new TypeError('broken'), 5, 'TypeError: broken'],
  ])('of %s is a sentence and an exit code', (_, error, exitCode, message) => {
    expect(problemOf(error)).toEqual({ message, exitCode });
  });
});

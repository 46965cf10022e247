import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createStacks } from '../../../../../lambdas/adapters/aws/cloudformation/stacks.ts';
import { awsError } from '../aws-error.ts';

const stackId = 'arn:aws:cloudformation:us-east-1:123456789012:stack/App/1';
const cloudFormation = mockClient(CloudFormationClient);
const stacks = createStacks({ client: new CloudFormationClient({ region: 'us-east-1' }) });

beforeEach(() => {
  cloudFormation.reset();
});

describe('a stack', () => {
  test.each([
    ['UPDATE_ROLLBACK_IN_PROGRESS', true],
    ['UPDATE_IN_PROGRESS', false],
    ['UPDATE_FAILED', false],
  ] as const)('with status %s is rolling back: %j', async (StackStatus, expected) => {
    const stack = { StackName: 'App', CreationTime: new Date('2026-03-01T12:00:00Z'), StackStatus };
    cloudFormation.on(DescribeStacksCommand, { StackName: stackId }).resolves({ Stacks: [stack] });
    expect(await stacks.rollsBack(stackId)).toBe(expected);
  });

  test('is named in the error when the function may not describe it', async () => {
    cloudFormation.on(DescribeStacksCommand).rejects(awsError('AccessDenied'));
    await expect(stacks.rollsBack(stackId)).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringContaining(`stack ${stackId}`),
      fields: { action: 'cloudformation:DescribeStacks' },
    });
  });
});

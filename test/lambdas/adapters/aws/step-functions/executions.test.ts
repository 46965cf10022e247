import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createExecutions } from '../../../../../lambdas/adapters/aws/step-functions/executions.ts';
import { awsError } from '../aws-error.ts';

const arn = 'arn:aws:states:us-east-1:123456789012:execution:renewal:www-1';
const sfn = mockClient(SFNClient);
const executions = createExecutions({ client: new SFNClient({ region: 'us-east-1' }) });

beforeEach(() => {
  sfn.reset();
});

describe('the status of an execution', () => {
  test.each([
    ['RUNNING', 'live'],
    ['PENDING_REDRIVE', 'live'],
    ['SUCCEEDED', 'ended'],
    ['FAILED', 'ended'],
    ['TIMED_OUT', 'ended'],
    ['ABORTED', 'ended'],
  ] as const)('%s is reported as %s', async (status, expected) => {
    sfn.on(DescribeExecutionCommand, { executionArn: arn }).resolves({ status });
    expect(await executions.status(arn)).toBe(expected);
  });

  test.each(['ExecutionDoesNotExist', 'InvalidArn'])('is unknown after the error %s', async (name) => {
    sfn.on(DescribeExecutionCommand).rejects(awsError(name));
    expect(await executions.status(arn)).toBe('unknown');
  });

  test('that AWS denies is an error that names the execution', async () => {
    sfn.on(DescribeExecutionCommand).rejects(awsError('AccessDeniedException'));
    await expect(executions.status(arn)).rejects.toThrow(`states:DescribeExecution on execution ${arn}`);
  });
});

describe('the description of an execution', () => {
  test('has status, error and the input as text', async () => {
    const input = '{"certificate":"www"}';
    sfn.on(DescribeExecutionCommand, { executionArn: arn }).resolves({ status: 'ABORTED', input });
    expect(await executions.describe(arn)).toEqual({ status: 'ABORTED', error: null, input });
    sfn.on(DescribeExecutionCommand).resolves({ status: 'FAILED', error: 'States.Runtime', cause: 'No.', input });
    expect(await executions.describe(arn)).toEqual({ status: 'FAILED', error: 'States.Runtime', input });
  });

  test.each(['ExecutionDoesNotExist', 'InvalidArn'])('is `null` after the error %s', async (name) => {
    sfn.on(DescribeExecutionCommand).rejects(awsError(name));
    expect(await executions.describe(arn)).toBeNull();
  });
});

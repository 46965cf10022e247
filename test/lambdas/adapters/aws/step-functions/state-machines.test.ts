import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createStateMachines } from '../../../../../lambdas/adapters/aws/step-functions/state-machines.ts';
import { awsError } from '../aws-error.ts';

const arn = 'arn:aws:states:us-east-1:123456789012:stateMachine:fleet';
const sfn = mockClient(SFNClient);
const stateMachines = createStateMachines({ client: new SFNClient({ region: 'us-east-1' }) });

beforeEach(() => {
  sfn.reset();
});

describe('starting a state machine', () => {
  test('gives the execution its name and an empty input', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: 'arn' });
    await stateMachines.start(arn, 'deployment-1');
    const [call] = sfn.commandCalls(StartExecutionCommand);
    expect(call?.args[0].input).toEqual({ stateMachineArn: arn, name: 'deployment-1', input: '{}' });
  });

  test('succeeds if the execution already exists', async () => {
    sfn.on(StartExecutionCommand).rejects(awsError('ExecutionAlreadyExists'));
    await expect(stateMachines.start(arn, 'deployment-1')).resolves.toBeUndefined();
  });

  test('fails with the name of the state machine if AWS denies the call', async () => {
    sfn.on(StartExecutionCommand).rejects(awsError('AccessDeniedException'));
    await expect(stateMachines.start(arn, 'deployment-1')).rejects.toThrow(
      `states:StartExecution on state machine ${arn}`,
    );
  });
});

describe('the end of an execution', () => {
  const execution = 'arn:aws:states:us-east-1:123456789012:execution:renewal:www-1';

  test('has its error and cause if it failed', async () => {
    sfn
      .on(DescribeExecutionCommand, { executionArn: execution })
      .resolves({ status: 'FAILED', error: 'CaaError', cause: 'No.' });
    expect(await stateMachines.end(execution)).toEqual({ status: 'FAILED', error: 'CaaError', cause: 'No.' });
  });

  test('has its output if it succeeded', async () => {
    sfn.on(DescribeExecutionCommand).resolves({ status: 'SUCCEEDED', output: '{"reason":"done"}' });
    expect(await stateMachines.end(execution)).toEqual({ status: 'SUCCEEDED', output: { reason: 'done' } });
  });

  test.each(['ABORTED', 'TIMED_OUT'] as const)('has neither if its status is %s', async (status) => {
    sfn.on(DescribeExecutionCommand).resolves({ status });
    expect(await stateMachines.end(execution)).toEqual({ status });
  });

  test.each(['RUNNING', 'PENDING_REDRIVE'] as const)('is null while its status is %s', async (status) => {
    sfn.on(DescribeExecutionCommand).resolves({ status });
    expect(await stateMachines.end(execution)).toBeNull();
  });

  test('is null if Step Functions does not know the execution yet', async () => {
    sfn.on(DescribeExecutionCommand).rejects(awsError('ExecutionDoesNotExist'));
    expect(await stateMachines.end(execution)).toBeNull();
  });

  test('is an error that names the execution if AWS denies the call', async () => {
    sfn.on(DescribeExecutionCommand).rejects(awsError('AccessDeniedException'));
    await expect(stateMachines.end(execution)).rejects.toThrow(`on execution ${execution}`);
  });
});

describe('the running executions of a state machine', () => {
  test('are listed over all pages, also over an empty one', async () => {
    const page = (name: string) => ({
      executionArn: name,
      name,
      stateMachineArn: arn,
      status: 'RUNNING' as const,
      startDate: new Date(0),
    });
    sfn
      .on(ListExecutionsCommand)
      .resolvesOnce({ executions: [page('1'), page('2')], nextToken: 'a' })
      .resolvesOnce({ executions: [], nextToken: 'b' })
      .resolves({ executions: [page('3')] });
    expect(await stateMachines.running(arn)).toEqual(['1', '2', '3']);
    expect(sfn.commandCalls(ListExecutionsCommand).map((call) => call.args[0].input)).toEqual([
      { stateMachineArn: arn, statusFilter: 'RUNNING', maxResults: 1000 },
      { stateMachineArn: arn, statusFilter: 'RUNNING', maxResults: 1000, nextToken: 'a' },
      { stateMachineArn: arn, statusFilter: 'RUNNING', maxResults: 1000, nextToken: 'b' },
    ]);
  });

  test('end with a bound of pages if each page has a token', async () => {
    sfn.on(ListExecutionsCommand).resolves({ executions: [], nextToken: 'again' });
    expect(await stateMachines.running(arn)).toEqual([]);
  });

  test('are none if the state machine does not exist', async () => {
    sfn.on(ListExecutionsCommand).rejects(awsError('StateMachineDoesNotExist'));
    expect(await stateMachines.running(arn)).toEqual([]);
  });
});

describe('stopping an execution', () => {
  test('gives the cause', async () => {
    sfn.on(StopExecutionCommand).resolves({ stopDate: new Date(0) });
    await stateMachines.stop('execution-1', 'The stack is deleted.');
    expect(sfn.commandCalls(StopExecutionCommand)[0]?.args[0].input).toEqual({
      executionArn: 'execution-1',
      cause: 'The stack is deleted.',
    });
  });

  test.each(['ExecutionDoesNotExist', 'ValidationException'])('succeeds if it has ended (%s)', async (name) => {
    sfn.on(StopExecutionCommand).rejects(awsError(name));
    await expect(stateMachines.stop('execution-1', 'The stack is deleted.')).resolves.toBeUndefined();
  });

  test('fails if AWS denies the call', async () => {
    sfn.on(StopExecutionCommand).rejects(awsError('AccessDeniedException'));
    await expect(stateMachines.stop('execution-1', 'The stack is deleted.')).rejects.toThrow('execution-1');
  });
});

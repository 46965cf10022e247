import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createStateMachines } from '../../../lambdas/aws/state-machines.ts';
import { awsError } from './aws-error.ts';

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

  test('that was done before is done', async () => {
    sfn.on(StartExecutionCommand).rejects(awsError('ExecutionAlreadyExists'));
    await expect(stateMachines.start(arn, 'deployment-1')).resolves.toBeUndefined();
  });

  test('that is denied names the state machine', async () => {
    sfn.on(StartExecutionCommand).rejects(awsError('AccessDeniedException'));
    await expect(stateMachines.start(arn, 'deployment-1')).rejects.toThrow(
      `states:StartExecution on state machine ${arn} was denied`,
    );
  });
});

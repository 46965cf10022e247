import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createWorkflows } from '../../../../../lambdas/adapters/aws/step-functions/workflows.ts';
import { awsError } from '../aws-error.ts';

const sfn = mockClient(SFNClient);
const workflows = createWorkflows({ region: 'eu-west-1' });
const timestamp = new Date('2026-03-01T12:00:00Z');
const at = timestamp.toISOString();

beforeEach(() => {
  sfn.reset();
});

describe('the states of an execution', () => {
  const entered = (name: string) =>
    ({ timestamp, type: 'TaskStateEntered', stateEnteredEventDetails: { name } }) as const;

  test('are in the order of their entry, over all pages, with those whose task has failed', async () => {
    sfn
      .on(GetExecutionHistoryCommand)
      .resolvesOnce({
        events: [
          { timestamp, id: 1, type: 'ExecutionStarted' },
          { id: 2, ...entered('Check zones') },
        ],
        nextToken: '1',
      })
      .resolvesOnce({
        events: [
          { timestamp, id: 3, type: 'TaskFailed' },
          { timestamp, id: 4, type: 'TaskStateExited' },
          { id: 5, ...entered('Record failure') },
        ],
      });
    expect(await workflows.states('arn')).toEqual([
      { name: 'Check zones', at, failed: true },
      { name: 'Record failure', at },
    ]);
  });

  test('need a permission, which the error names', async () => {
    sfn.on(GetExecutionHistoryCommand).rejects(awsError('AccessDeniedException'));
    await expect(workflows.states('arn:1')).rejects.toMatchObject({
      fields: { action: 'states:GetExecutionHistory', resource: 'execution arn:1' },
    });
  });
});

test('executions are listed by the beginning of their name, over all pages', async () => {
  const execution = (name: string) => ({
    name,
    executionArn: `arn:${name}`,
    stateMachineArn: '',
    startDate: timestamp,
    status: 'SUCCEEDED' as const,
  });
  sfn
    .on(ListExecutionsCommand)
    .resolvesOnce({ executions: [execution('www-2'), execution('api-1')], nextToken: '1' })
    .resolvesOnce({ executions: [execution('www-1')] });
  expect(await workflows.list('arn', 'www-')).toEqual(['arn:www-2', 'arn:www-1']);
});

test('a running execution has no end and no output', async () => {
  sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING', startDate: timestamp, input: '{}' });
  expect(await workflows.describe('arn')).toEqual({
    ...{ arn: 'arn', status: 'RUNNING', start: at, end: null, error: null, cause: null, input: '{}', output: null },
  });
});

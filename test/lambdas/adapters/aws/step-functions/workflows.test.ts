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
  const resource = { resourceType: 'lambda', resource: 'invoke' };
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
          { timestamp, id: 3, type: 'TaskFailed', taskFailedEventDetails: { error: 'CaaError', ...resource } },
          { timestamp, id: 4, type: 'TaskStateExited' },
          { id: 5, ...entered('Record failure') },
        ],
      });
    expect(await workflows.states('arn')).toEqual([
      { name: 'Check zones', at, failed: 'CaaError' },
      { name: 'Record failure', at },
    ]);
  });

  test.each([
    [{ type: 'TaskTimedOut', taskTimedOutEventDetails: { error: 'States.Timeout', ...resource } }, 'States.Timeout'],
    [{ type: 'LambdaFunctionFailed', lambdaFunctionFailedEventDetails: { error: 'Runtime.Exit' } }, 'Runtime.Exit'],
    [
      {
        type: 'EvaluationFailed',
        evaluationFailedEventDetails: { state: 'Check zones', error: 'States.QueryEvaluationError' },
      },
      'States.QueryEvaluationError',
    ],
    // Without the execution data the details are missing.
    [{ type: 'TaskFailed' }, 'TaskFailed'],
  ] as const)('have failed after the event %j', async (event, error) => {
    const events = [
      { id: 1, ...entered('Check zones') },
      { timestamp, id: 2, ...event },
    ];
    sfn.on(GetExecutionHistoryCommand).resolves({ events });
    expect(await workflows.states('arn')).toEqual([{ name: 'Check zones', at, failed: error }]);
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

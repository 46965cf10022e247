import { DynamoDBClient, TransactWriteItemsCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { beforeAll, expect, test } from 'vitest';
import type { LocalEnvironment } from '../../local/environment.ts';
import { startExecution, waitForExecution } from '../../local/executions.ts';
import { eventually, reaches, statesOf } from '../e2e/observed.ts';
import { sharedEnvironment } from './shared-environment.ts';
import { allow, createStack, lambdaFunction, role, stateMachine } from './stack.ts';

/** Source of the function under test. `event.do` selects the action. MiniStack provides the SDK in place of the Lambda runtime. */
const FUNCTION_CODE = `
const { DynamoDB } = require('@aws-sdk/client-dynamodb');
const { SFN } = require('@aws-sdk/client-sfn');
class RateLimitedError extends Error { constructor(message) { super(message); this.name = 'RateLimitedError'; } }
const started = Math.random();
exports.handler = async (event) => {
  const update = (UpdateExpression, ConditionExpression, values) => new DynamoDB().updateItem({
    TableName: process.env.TABLE, Key: { id: { S: 'a' } }, UpdateExpression, ConditionExpression,
    ExpressionAttributeValues: values, ExpressionAttributeNames: UpdateExpression.includes('#k') ? { '#k': 'k' } : undefined,
    ReturnValues: 'ALL_NEW',
  });
  switch (event.do) {
    case 'throw': throw new RateLimitedError('slow down');
    case 'throw text': throw 'text';
    case 'exit': process.exit(1);
    case 'log': return Array.from({ length: 500 }, (_, line) => console.log('line ' + line)).length;
    case 'sets': {
      await update('SET lease = :l, m = :m', 'attribute_not_exists(lease)', { ':l': { S: 'one' }, ':m': { M: {} } });
      await update('ADD texts :n', 'lease = :l', { ':l': { S: 'one' }, ':n': { SS: ['x', 'y'] } });
      await update('DELETE texts :n SET m.#k = :v', 'lease = :l', { ':l': { S: 'one' }, ':n': { SS: ['x'] }, ':v': { N: '1' } });
      const lost = await update('SET lease = :l', 'attribute_not_exists(lease)', { ':l': { S: 'two' } }).catch((e) => e.name);
      return { lost, item: (await update('ADD texts :n', 'lease = :l', { ':l': { S: 'one' }, ':n': { SS: ['z'] } })).Attributes };
    }
    case 'describe': return (await new SFN().describeExecution({ executionArn: event.arn })).status;
    case 'denied': return new SFN().listStateMachines({}).catch((error) => error.name);
    default: return { started };
  }
};`;

let local: LocalEnvironment;
let outputs: Record<string, string>;
const run = async (input: unknown, machineArn = outputs.Machine ?? '') =>
  waitForExecution(local, await startExecution(local, machineArn, input));

beforeAll(async () => {
  local = await sharedEnvironment();
  outputs = await createStack(local, 'Functions', {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'ledger-try',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      },
    },
    FunctionRole: role('lambda.amazonaws.com', allow(['dynamodb:UpdateItem', 'states:DescribeExecution'])),
    MachineRole: role('states.amazonaws.com', allow(['lambda:InvokeFunction', 'states:StartExecution'])),
    Function: lambdaFunction('try', 'FunctionRole', FUNCTION_CODE, { TABLE: 'ledger-try' }),
    Machine: stateMachine('MachineRole', {
      Type: 'Task',
      Resource: 'arn:aws:lambda:us-east-1:000000000000:function:try',
      Retry: [{ ErrorEquals: ['RateLimitedError'], IntervalSeconds: 1, MaxAttempts: 1 }],
      End: true,
    }),
    Sleeper: stateMachine('MachineRole', { Type: 'Wait', Seconds: 30, End: true }),
    Brancher: stateMachine('MachineRole', {
      Type: 'Parallel',
      Branches: [
        {
          StartAt: 'Inner',
          States: {
            Inner: { Type: 'Pass', Assign: { seen: 'inner' }, Next: 'Items' },
            Items: {
              Type: 'Map',
              Items: [1, 2],
              ItemProcessor: { StartAt: 'Item', States: { Item: { Type: 'Succeed', Output: '{% $seen & "!" %}' } } },
              End: true,
            },
          },
        },
      ],
      Output: '{% { "results": $states.result, "leaked": $exists($seen) } %}',
      End: true,
    }),
    Stopped: stateMachine('MachineRole', {
      Type: 'Parallel',
      Branches: [
        {
          StartAt: 'Held',
          States: { Held: { Type: 'Pass', Next: 'After' }, After: { Type: 'Pass', End: true } },
        },
      ],
      End: true,
    }),
    Starter: stateMachine('MachineRole', {
      Type: 'Task',
      Resource: 'arn:aws:states:::states:startExecution',
      Arguments: '{% $states.input %}',
      End: true,
    }),
  });
});
test('a thrown error keeps its name, is retried by that name, and leaves the function warm', async () => {
  const before = await run({});
  const failed = await run({ do: 'throw' });
  expect(failed).toMatchObject({ status: 'FAILED', error: 'RateLimitedError' });
  expect(JSON.parse(failed.cause ?? '')).toMatchObject({
    errorType: 'RateLimitedError',
    errorMessage: 'slow down',
    trace: expect.arrayContaining(['RateLimitedError: slow down']),
  });
  expect(failed.history.filter(({ type }) => type === 'TaskScheduled')).toHaveLength(2);
  expect((await run({})).output).toEqual(before.output);
});

test('a thrown value that is no Error is named after its type, and an ended process Runtime.ExitError', async () => {
  expect(await run({ do: 'throw text' })).toMatchObject({
    error: 'string',
    cause: expect.stringContaining('"text"'),
  });
  expect(await run({ do: 'exit' })).toMatchObject({ status: 'FAILED', error: 'Runtime.ExitError' });
});

test('conditional updates of string sets and nested maps work from a function', async () => {
  const { output } = await run({ do: 'sets' });
  expect(output).toEqual({
    lost: 'ConditionalCheckFailedException',
    item: { id: { S: 'a' }, lease: { S: 'one' }, m: { M: { k: { N: '1' } } }, texts: { SS: ['y', 'z'] } },
  });
});

test('an update that changes a path twice, or a path within another, is rejected before its condition', async () => {
  const dynamodb = new DynamoDBClient(local.clientConfig);
  const update = (UpdateExpression: string) => ({
    TableName: 'ledger-try',
    Key: { id: { S: 'overlap' } },
    UpdateExpression,
    ConditionExpression: 'attribute_exists(id)',
    ...(UpdateExpression.includes('#a') && { ExpressionAttributeNames: { '#a': 'a' } }),
    ...(UpdateExpression.includes(':v') && { ExpressionAttributeValues: { ':v': { SS: ['x'] } } }),
  });
  const overlapping = ['SET a = :v, a = :v', 'SET a = :v REMOVE #a', 'ADD a :v DELETE a :v', 'REMOVE b[1], b[1].c'];
  const overlap = { name: 'ValidationException', message: expect.stringContaining('Two document paths overlap') };
  for (const expression of overlapping) {
    await expect(dynamodb.send(new UpdateItemCommand(update(expression))), expression).rejects.toMatchObject(overlap);
  }
  const inTransaction = { TransactItems: [{ Update: update('SET a.b = :v REMOVE a') }] };
  await expect(dynamodb.send(new TransactWriteItemsCommand(inTransaction))).rejects.toMatchObject(overlap);
  const distinct = dynamodb.send(new UpdateItemCommand(update('SET a.b = :v, a.c = a.b REMOVE b[1], b[2]')));
  await expect(distinct).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
});

test('a text that is no ARN of an execution is rejected, unlike the ARN of an execution that does not exist', async () => {
  const sfn = new SFNClient(local.clientConfig);
  const named = async (executionArn: string) => {
    const error = (thrown: Error) => thrown.name;
    const described = sfn.send(new DescribeExecutionCommand({ executionArn })).catch(error);
    return [await described, await sfn.send(new StopExecutionCommand({ executionArn })).catch(error)];
  };
  const machine = outputs.Sleeper ?? '';
  const missing = `${machine.replace(':stateMachine:', ':execution:')}:missing`;
  for (const arn of ['execution-1', machine]) expect(await named(arn), arn).toEqual(['InvalidArn', 'InvalidArn']);
  expect(await named(missing)).toEqual(['ExecutionDoesNotExist', 'ExecutionDoesNotExist']);
});

test('a function can make only the AWS calls that its role allows', async () => {
  const arn = await startExecution(local, outputs.Sleeper ?? '', {});
  expect((await run({ do: 'describe', arn })).output).toBe('RUNNING');
  expect((await run({ do: 'denied' })).output).toBe('AccessDeniedException');
});

test('a start with the name of a running execution returns that execution, and fails if the input differs', async () => {
  const sfn = new SFNClient(local.clientConfig);
  const start = (input: object) =>
    sfn.send(
      new StartExecutionCommand({
        stateMachineArn: outputs.Sleeper ?? '',
        name: 'once',
        input: JSON.stringify(input),
      }),
    );
  const first = await start({ a: 1 });
  expect(await start({ a: 1 })).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
  await expect(start({ a: 2 })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });

  const nested = (Input: object) =>
    run({ StateMachineArn: outputs.Sleeper, Name: 'once', Input }, outputs.Starter ?? '');
  expect(await nested({ a: 2 })).toMatchObject({
    status: 'FAILED',
    error: 'StepFunctions.ExecutionAlreadyExistsException',
  });
});

test('the history has the states of branches and items, and their variables are not visible outside', async () => {
  const ended = await run({}, outputs.Brancher ?? '');
  expect(ended.output).toEqual({ results: [['inner!', 'inner!']], leaked: false });
  const entered = ended.history.flatMap((event) => event.stateEnteredEventDetails?.name ?? []);
  expect(entered).toEqual(['Only', 'Inner', 'Items', 'Item', 'Item']);
  expect(ended.transitions).toBe(5);
});

test('an execution is held in a state, and enters no other state after it was stopped', async () => {
  const release = await local.aws.holdState('Held');
  const [stopped, held] = [
    await startExecution(local, outputs.Stopped ?? '', {}),
    await startExecution(local, outputs.Stopped ?? '', {}),
  ];
  for (const arn of [stopped, held]) await reaches({ local }, arn, 'Held');
  const sfn = new SFNClient(local.clientConfig);
  await sfn.send(new StopExecutionCommand({ executionArn: stopped }));
  expect((await sfn.send(new DescribeExecutionCommand({ executionArn: held }))).status).toBe('RUNNING');
  await release();
  expect(await waitForExecution(local, held)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await statesOf({ local }, held)).toEqual(['Only', 'Held', 'After']);
  expect(await waitForExecution(local, stopped)).toMatchObject({ status: 'ABORTED' });
  expect(await statesOf({ local }, stopped)).toEqual(['Only', 'Held']);
});

test('all log lines of a call can be read as soon as the call has ended', async () => {
  await run({ do: 'log' });
  const lines = (await local.aws.logEvents()).filter(({ message }) => /\tline \d+$|^line \d+$/.test(message));
  expect(lines).toHaveLength(500);
});

test('the tests can read log events of functions and events of the bus', async () => {
  const failures = (await local.aws.logEvents()).filter((event) => event.message.startsWith('Invoke Error'));
  expect(failures[0]).toMatchObject({
    logGroup: '/aws/lambda/try',
    message: expect.stringContaining('RateLimitedError'),
  });
  expect(await local.aws.busEvents()).toContainEqual({
    bus: 'default',
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    detail: expect.objectContaining({ status: 'FAILED' }),
  });
});

test('a state machine is deleted only when its executions have ended, and starts none until then', async () => {
  const sfn = new SFNClient(local.clientConfig);
  const sleeper = { stateMachineArn: outputs.Sleeper ?? '' };
  const { roleArn } = await sfn.send(new DescribeStateMachineCommand(sleeper));
  const definition = JSON.stringify({ StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 600, End: true } } });
  const { stateMachineArn = '' } = await sfn.send(
    new CreateStateMachineCommand({ name: 'deleted', definition, roleArn }),
  );
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn }));
  await sfn.send(new DeleteStateMachineCommand({ stateMachineArn }));
  const start = () => sfn.send(new StartExecutionCommand({ stateMachineArn }));
  await eventually('The state DELETING', async () =>
    (await start().catch(({ name }: Error) => name)) === 'StateMachineDeleting' ? true : undefined,
  );
  await sfn.send(new StopExecutionCommand({ executionArn }));
  await eventually('The deletion', async () =>
    (await start().catch(({ name }: Error) => name)) === 'StateMachineDoesNotExist' ? true : undefined,
  );
});

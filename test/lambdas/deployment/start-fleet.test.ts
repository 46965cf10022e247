import { describe, expect, test } from 'vitest';
import { type DeploymentEvent, startFleet } from '../../../lambdas/deployment/start-fleet.ts';
import { AccessDeniedError } from '../../../lambdas/rules/errors.ts';

const fleet = 'arn:aws:states:us-east-1:123456789012:stateMachine:fleet';
const event: DeploymentEvent = {
  RequestType: 'Create',
  ResponseURL: 'https://cloudformation.test/reply',
  StackId: 'stack-1',
  RequestId: 'request-1',
  LogicalResourceId: 'FleetStart',
  ResourceProperties: { StateMachineArn: fleet },
};

/** `failures` are what starting the fleet meets, one after the other, before it succeeds. */
async function deployed(given: DeploymentEvent, ...failures: readonly Error[]) {
  const started = new Map<string, string>();
  const sleeps: number[] = [];
  const pending = [...failures];
  const replies: [string, unknown][] = [];
  const errors: unknown[] = [];
  await startFleet(given, {
    stateMachines: {
      start: async (arn, name) => {
        const failure = pending.shift();
        if (failure) throw failure;
        started.set(name, arn);
      },
    },
    log: { info: () => undefined, error: (_, details) => errors.push(details) },
    clock: {
      sleep: async (milliseconds) => {
        sleeps.push(milliseconds);
      },
    },
    reply: async (url, body) => {
      replies.push([url, JSON.parse(body)]);
    },
  });
  return { started: [...started], replies, errors, sleeps };
}

const success = {
  Status: 'SUCCESS',
  StackId: 'stack-1',
  RequestId: 'request-1',
  LogicalResourceId: 'FleetStart',
  PhysicalResourceId: 'FleetStart',
};

test('a deployment registers the accounts beside the fleet, whatever becomes of either', async () => {
  const accounts = 'arn:aws:states:us-east-1:123456789012:stateMachine:accounts';
  const both = { ...event, ResourceProperties: { StateMachineArn: fleet, AccountsStateMachineArn: accounts } };
  const inputs: unknown[] = [];
  const replies: string[] = [];
  await startFleet(both, {
    stateMachines: {
      start: async (arn, name, input) => {
        inputs.push([arn, name, input]);
        if (arn === fleet) throw new Error('no fleet');
      },
    },
    log: { info: () => undefined, error: () => undefined },
    clock: { sleep: async () => undefined },
    reply: async (_, body) => {
      replies.push(body);
    },
  });
  expect(inputs).toEqual([
    [fleet, 'deployment-request-1', {}],
    [accounts, 'deployment-request-1', { action: 'register' }],
  ]);
  expect(JSON.parse(replies[0] ?? '')).toEqual(success);
});

describe('a deployment', () => {
  test.each(['Create', 'Update'] as const)(
    'that ends in %s starts the fleet and says so to CloudFormation',
    async (RequestType) => {
      const { started, replies } = await deployed({ ...event, RequestType });
      expect(started).toEqual([['deployment-request-1', fleet]]);
      expect(replies).toEqual([['https://cloudformation.test/reply', success]]);
    },
  );

  test('that asks twice starts one execution', async () => {
    const [first, second] = [await deployed(event), await deployed(event)];
    expect(first.started).toEqual(second.started);
  });

  test('whose fleet cannot be started succeeds, and the log says why', async () => {
    const failure = new Error('no permission');
    const { replies, errors } = await deployed(event, failure);
    expect(replies).toEqual([['https://cloudformation.test/reply', success]]);
    expect(errors).toEqual([{ stateMachine: fleet, error: failure }]);
  });

  test('waits for a permission that does not hold yet', async () => {
    const denied = new AccessDeniedError('states:StartExecution was denied');
    const { started, sleeps, errors } = await deployed(event, denied);
    expect({ sleeps, errors }).toEqual({ sleeps: [5000], errors: [] });
    expect(started).toHaveLength(1);
  });

  test('waits for a permission 20 seconds at most', async () => {
    const denied = new AccessDeniedError('states:StartExecution was denied');
    const { started, sleeps, replies } = await deployed(event, denied, denied, denied);
    expect(sleeps).toEqual([5000, 15_000]);
    expect(started).toEqual([]);
    expect(replies).toEqual([['https://cloudformation.test/reply', success]]);
  });

  test('that takes the stack away starts nothing', async () => {
    const { started, replies } = await deployed({ ...event, RequestType: 'Delete', PhysicalResourceId: 'FleetStart' });
    expect(started).toEqual([]);
    expect(replies).toEqual([['https://cloudformation.test/reply', success]]);
  });
});

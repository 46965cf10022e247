import { describe, expect, test } from 'vitest';
import { type DeploymentEvent, startFleet } from '../../../lambdas/deployment/start-fleet.ts';
import type { ExecutionEnd } from '../../../lambdas/domain/ports/state-machines.ts';
import { deniedError } from '../../fakes/aws-errors.ts';
import { FakeClock, FakeLog } from '../../fakes/clock.ts';

const fleet = 'arn:aws:states:us-east-1:123456789012:stateMachine:fleet';
const accounts = 'arn:aws:states:us-east-1:123456789012:stateMachine:accounts';
const registration = 'arn:aws:states:us-east-1:123456789012:execution:accounts:deployment-request-1';
const event: DeploymentEvent = {
  RequestType: 'Create',
  ResponseURL: 'https://cloudformation.test/reply',
  StackId: 'stack-1',
  RequestId: 'request-1',
  LogicalResourceId: 'FleetStart',
  ResourceProperties: { StateMachineArn: fleet },
};
const withAccounts = { ...event, ResourceProperties: { StateMachineArn: fleet, AccountsStateMachineArn: accounts } };

interface Circumstances {
  /** Errors of the first calls that start this state machine, before a call succeeds. */
  readonly failures?: Readonly<Record<string, readonly Error[]>>;
  /** Results of the calls that read the end of the registration. The last one is repeated. */
  readonly ends?: readonly (ExecutionEnd | null | Error)[];
}

async function deployed(given: DeploymentEvent, { failures = {}, ends = [null] }: Circumstances = {}) {
  const started: [string, string, unknown][] = [];
  const met = new Map(Object.entries(failures).map(([arn, errors]) => [arn, [...errors]]));
  const left = [...ends];
  const polled: string[] = [];
  const order: string[] = [];
  const replies: [string, string][] = [];
  const clock = new FakeClock('2026-03-01T12:00:00Z');
  const log = new FakeLog();
  await startFleet(given, {
    stateMachines: {
      start: async (arn, name, input) => {
        const failure = met.get(arn)?.shift();
        if (failure) throw failure;
        order.push(`start ${arn}`);
        started.push([arn, name, input]);
      },
      end: async (execution) => {
        polled.push(execution);
        order.push('end');
        const found = (left.length > 1 ? left.shift() : left[0]) ?? null;
        if (found instanceof Error) throw found;
        return found;
      },
    },
    log,
    clock,
    reply: async (url, body) => {
      replies.push([url, body]);
    },
  });
  const [url = '', body = ''] = replies[0] ?? [];
  const reply = JSON.parse(body) as Record<string, unknown> & { readonly Data?: { readonly Caa: string } };
  return { started, polled, order, replies, url, body, reply, caa: reply.Data?.Caa ?? '', log, slept: clock.slept };
}

const success = {
  Status: 'SUCCESS',
  StackId: 'stack-1',
  RequestId: 'request-1',
  LogicalResourceId: 'FleetStart',
  PhysicalResourceId: 'FleetStart',
};

describe('a deployment', () => {
  test.each(['Create', 'Update'] as const)(
    'starts the fleet on %s and replies SUCCESS to CloudFormation',
    async (RequestType) => {
      const { started, url, reply, replies } = await deployed({ ...event, RequestType });
      expect(started).toEqual([[fleet, 'deployment-request-1', {}]]);
      expect([url, reply]).toEqual(['https://cloudformation.test/reply', success]);
      expect(replies).toHaveLength(1);
    },
  );

  test('registers the accounts even if the fleet cannot be started', async () => {
    const { started, reply } = await deployed(withAccounts, { failures: { [fleet]: [new Error('no fleet')] } });
    expect(started).toEqual([[accounts, 'deployment-request-1', { action: 'register' }]]);
    expect(reply).toMatchObject(success);
  });

  test('starts the fleet after the registration has ended, so that a one-time binding is used once', async () => {
    const end: ExecutionEnd = { status: 'SUCCEEDED', output: { accounts: [], caa: [] } };
    const { started, order } = await deployed(withAccounts, { ends: [null, end] });
    expect(started.map(([arn]) => arn)).toEqual([accounts, fleet]);
    expect(order).toEqual([`start ${accounts}`, 'end', 'end', `start ${fleet}`]);
  });

  test('starts the fleet if the registration has not ended after 30 s', async () => {
    const { started, slept } = await deployed(withAccounts);
    expect(started.map(([arn]) => arn)).toEqual([accounts, fleet]);
    expect(slept).toHaveLength(30);
  });

  test('starts the fleet if the accounts cannot be registered', async () => {
    const { started } = await deployed(withAccounts, { failures: { [accounts]: [new Error('no')] } });
    expect(started.map(([arn]) => arn)).toEqual([fleet]);
  });

  test('starts one execution for an event that arrives twice', async () => {
    const [first, second] = [await deployed(withAccounts), await deployed(withAccounts)];
    expect(first.started).toEqual(second.started);
  });

  test('succeeds if the fleet cannot be started, and logs the reason', async () => {
    const failure = new Error('no permission');
    const { reply, log } = await deployed(event, { failures: { [fleet]: [failure] } });
    expect(reply).toEqual(success);
    expect(log.lines).toEqual([
      expect.objectContaining({ level: 'error', details: { stateMachine: fleet, error: failure } }),
    ]);
  });

  test('retries if a new permission does not work yet', async () => {
    const denied = deniedError('states:StartExecution was denied');
    const { started, slept, log } = await deployed(event, { failures: { [fleet]: [denied] } });
    expect({ slept, errors: log.messages('error') }).toEqual({ slept: [5000], errors: [] });
    expect(started).toHaveLength(1);
  });

  test('waits at most 20 s for a new permission', async () => {
    const denied = deniedError('states:StartExecution was denied');
    const { started, slept, reply } = await deployed(event, { failures: { [fleet]: [denied, denied, denied] } });
    expect(slept).toEqual([5000, 15_000]);
    expect(started).toEqual([]);
    expect(reply).toEqual(success);
  });

  test('starts nothing if it deletes the stack', async () => {
    const { started, reply } = await deployed({
      ...withAccounts,
      RequestType: 'Delete',
      PhysicalResourceId: 'FleetStart',
    });
    expect(started).toEqual([]);
    expect(reply).toEqual(success);
  });
});

describe('the attribute Caa', () => {
  const lines = [
    '0 issue "ca.test; accounturi=https://ca.test/1"',
    '0 issue "other.test; accounturi=https://o.test/7"',
  ];
  const succeeded = (caa: readonly string[]): ExecutionEnd => ({
    status: 'SUCCEEDED',
    output: { accounts: [], caa },
  });

  test('has the records of the registration, after it has ended', async () => {
    const { caa, polled, slept } = await deployed(withAccounts, { ends: [null, null, succeeded(lines)] });
    expect(caa).toBe(lines.join('\n'));
    expect(new Set(polled)).toEqual(new Set([registration]));
    expect(slept).toEqual([1000, 1000, 1000]);
  });

  test('says after 30 s how to read the records later', async () => {
    const { caa, slept, reply } = await deployed(withAccounts);
    expect(slept).toHaveLength(30);
    expect(caa).toContain(
      `aws stepfunctions describe-execution --execution-arn ${registration} --region us-east-1 --query output`,
    );
    expect(reply).toMatchObject(success);
  });

  test('has the records even if the permission to read the registration is new', async () => {
    const denied = deniedError('states:DescribeExecution was denied');
    const { caa } = await deployed(withAccounts, { ends: [denied, denied, succeeded(lines)] });
    expect(caa).toBe(lines.join('\n'));
  });

  test('is unknown if the registration cannot be read, and the deployment succeeds', async () => {
    const { caa, slept, reply, log } = await deployed(withAccounts, { ends: [new Error('away')] });
    expect(slept).toEqual([1000]);
    expect(caa).toMatch(/^Unknown yet/);
    expect(log.messages('error')).toEqual([expect.stringContaining('registration of accounts could not be read')]);
    expect(reply).toMatchObject(success);
  });

  test('has the error of a failed registration, which is logged, and the command to repeat it', async () => {
    const failed: ExecutionEnd = { status: 'FAILED', error: 'ExternalAccountBindingError', cause: 'x'.repeat(30_000) };
    const { caa, body, log, started } = await deployed(withAccounts, { ends: [failed] });
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({
        message: expect.stringContaining('An issuer without an account cannot issue, also as a fallback.'),
        details: { execution: registration, ...failed },
      }),
    ]);
    expect(started.map(([arn]) => arn)).toEqual([accounts, fleet]);
    expect(caa).toContain('FAILED, ExternalAccountBindingError');
    expect(caa).toContain(`--state-machine-arn ${accounts} --region us-east-1 --input '{"action":"register"}'`);
    expect(body.length).toBeLessThan(4096);
  });

  test('has the command to start the registration if that could not be started', async () => {
    const { caa, polled } = await deployed(withAccounts, { failures: { [accounts]: [new Error('no')] } });
    expect(caa).toContain(`aws stepfunctions start-execution --state-machine-arn ${accounts}`);
    expect(polled).toEqual([]);
  });

  test.each([[[]], [undefined]])('says why the registration has no records for %j', async (caa) => {
    const { caa: text } = await deployed(withAccounts, { ends: [{ status: 'SUCCEEDED', output: { caa } }] });
    expect(text).toMatch(/^None, because no issuer/);
  });

  test.each([10, 100])(
    'is cut for %i long records to fit into the reply, and says how to read the rest',
    async (count) => {
      const many = Array.from({ length: count }, (_, index) => `0 issue "ca${index}.test; ${'é'.repeat(250)}"`);
      const { caa, body } = await deployed(withAccounts, { ends: [succeeded(many)] });
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
      const shown = caa.split('\n');
      expect(shown.slice(0, -1)).toEqual(many.slice(0, shown.length - 1));
      expect(shown.at(-1)).toContain(`${count - shown.length + 1} more: aws stepfunctions describe-execution`);
    },
  );

  test('fits into the reply with the longest names that a stack can have', async () => {
    const many = Array.from(
      { length: 50 },
      (_, index) => `0 issue "ca${index}.test; accounturi=https://ca.test/${index}"`,
    );
    const long = {
      ...withAccounts,
      StackId: `arn:aws:cloudformation:ap-southeast-1:123456789012:stack/${'s'.repeat(128)}/${'0'.repeat(36)}`,
      RequestId: 'r'.repeat(36),
      LogicalResourceId: 'l'.repeat(255),
      PhysicalResourceId: 'l'.repeat(255),
    };
    const { body } = await deployed(long, { ends: [succeeded(many)] });
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
  });
});

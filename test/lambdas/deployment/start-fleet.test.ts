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
  /** What starting this state machine meets, one after the other, before it succeeds. */
  readonly failures?: Readonly<Record<string, readonly Error[]>>;
  /** What looks at the registration find, one after the other, and the last again. */
  readonly looks?: readonly (ExecutionEnd | null | Error)[];
}

async function deployed(given: DeploymentEvent, { failures = {}, looks = [null] }: Circumstances = {}) {
  const started: [string, string, unknown][] = [];
  const met = new Map(Object.entries(failures).map(([arn, errors]) => [arn, [...errors]]));
  const left = [...looks];
  const looked: string[] = [];
  const replies: [string, string][] = [];
  const clock = new FakeClock('2026-03-01T12:00:00Z');
  const log = new FakeLog();
  await startFleet(given, {
    stateMachines: {
      start: async (arn, name, input) => {
        const failure = met.get(arn)?.shift();
        if (failure) throw failure;
        started.push([arn, name, input]);
      },
      end: async (execution) => {
        looked.push(execution);
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
  return { started, looked, replies, url, body, reply, caa: reply.Data?.Caa ?? '', log, slept: clock.slept };
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
    'that ends in %s starts the fleet and says so to CloudFormation',
    async (RequestType) => {
      const { started, url, reply, replies } = await deployed({ ...event, RequestType });
      expect(started).toEqual([[fleet, 'deployment-request-1', {}]]);
      expect([url, reply]).toEqual(['https://cloudformation.test/reply', success]);
      expect(replies).toHaveLength(1);
    },
  );

  test('registers the accounts beside the fleet, whatever becomes of either', async () => {
    const { started, reply } = await deployed(withAccounts, { failures: { [fleet]: [new Error('no fleet')] } });
    expect(started).toEqual([[accounts, 'deployment-request-1', { action: 'register' }]]);
    expect(reply).toMatchObject(success);
  });

  test('that asks twice starts one execution', async () => {
    const [first, second] = [await deployed(withAccounts), await deployed(withAccounts)];
    expect(first.started).toEqual(second.started);
  });

  test('whose fleet cannot be started succeeds, and the log says why', async () => {
    const failure = new Error('no permission');
    const { reply, log } = await deployed(event, { failures: { [fleet]: [failure] } });
    expect(reply).toEqual(success);
    expect(log.lines).toEqual([
      expect.objectContaining({ level: 'error', details: { stateMachine: fleet, error: failure } }),
    ]);
  });

  test('waits for a permission that does not hold yet', async () => {
    const denied = deniedError('states:StartExecution was denied');
    const { started, slept, log } = await deployed(event, { failures: { [fleet]: [denied] } });
    expect({ slept, errors: log.messages('error') }).toEqual({ slept: [5000], errors: [] });
    expect(started).toHaveLength(1);
  });

  test('waits for a permission 20 seconds at most', async () => {
    const denied = deniedError('states:StartExecution was denied');
    const { started, slept, reply } = await deployed(event, { failures: { [fleet]: [denied, denied, denied] } });
    expect(slept).toEqual([5000, 15_000]);
    expect(started).toEqual([]);
    expect(reply).toEqual(success);
  });

  test('that takes the stack away starts nothing', async () => {
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

  test('is the records that the registration ends with, waited for', async () => {
    const { caa, looked, slept } = await deployed(withAccounts, { looks: [null, null, succeeded(lines)] });
    expect(caa).toBe(lines.join('\n'));
    expect(new Set(looked)).toEqual(new Set([registration]));
    expect(slept).toEqual([1000, 1000, 1000]);
  });

  test('is waited for half a minute at most, and then says how to see it', async () => {
    const { caa, slept, reply } = await deployed(withAccounts);
    expect(slept).toHaveLength(30);
    expect(caa).toContain(`aws stepfunctions describe-execution --execution-arn ${registration} --query output`);
    expect(reply).toMatchObject(success);
  });

  test('is waited for until the permission to look holds', async () => {
    const denied = deniedError('states:DescribeExecution was denied');
    const { caa } = await deployed(withAccounts, { looks: [denied, denied, succeeded(lines)] });
    expect(caa).toBe(lines.join('\n'));
  });

  test('is given up when looking fails otherwise, and the deployment succeeds', async () => {
    const { caa, slept, reply, log } = await deployed(withAccounts, { looks: [new Error('away')] });
    expect(slept).toEqual([1000]);
    expect(caa).toMatch(/^Unknown yet/);
    expect(log.messages('error')).toEqual(['The registration of accounts could not be looked at.']);
    expect(reply).toMatchObject(success);
  });

  test('of a registration that failed names its error and how to go on', async () => {
    const failed: ExecutionEnd = { status: 'FAILED', error: 'ExternalAccountBindingError', cause: 'x'.repeat(30_000) };
    const { caa, body } = await deployed(withAccounts, { looks: [failed] });
    expect(caa).toContain('ended in FAILED, ExternalAccountBindingError');
    expect(caa).toContain(`--state-machine-arn ${accounts} --input '{"action":"register"}'`);
    expect(body.length).toBeLessThan(4096);
  });

  test('of a registration that could not be started says how to start it', async () => {
    const { caa, looked } = await deployed(withAccounts, { failures: { [accounts]: [new Error('no')] } });
    expect(caa).toContain(`aws stepfunctions start-execution --state-machine-arn ${accounts}`);
    expect(looked).toEqual([]);
  });

  test.each([[[]], [undefined]])('of a registration that ends without records says why: %j', async (caa) => {
    const { caa: text } = await deployed(withAccounts, { looks: [{ status: 'SUCCEEDED', output: { caa } }] });
    expect(text).toMatch(/^None: no issuer says/);
  });

  test.each([10, 100])(
    'of %i long records is cut to what CloudFormation takes, and says where the rest is',
    async (count) => {
      const many = Array.from({ length: count }, (_, index) => `0 issue "ca${index}.test; ${'é'.repeat(250)}"`);
      const { caa, body } = await deployed(withAccounts, { looks: [succeeded(many)] });
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
      const shown = caa.split('\n');
      expect(shown.slice(0, -1)).toEqual(many.slice(0, shown.length - 1));
      expect(shown.at(-1)).toContain(
        `${count - shown.length + 1} more are shown by: aws stepfunctions describe-execution`,
      );
    },
  );

  test('leaves room in the reply for the longest names that a stack may have', async () => {
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
    const { body } = await deployed(long, { looks: [succeeded(many)] });
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
  });
});

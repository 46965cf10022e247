import { describe, expect, test } from 'vitest';
import { type StopExecutionsEvent, stopExecutions } from '../../../lambdas/deployment/stop-executions.ts';
import { deniedError } from '../../fakes/aws-errors.ts';
import { FakeClock, FakeLog } from '../../fakes/clock.ts';

const machine = (name: string) => `arn:aws:states:us-east-1:123456789012:stateMachine:${name}`;
const [fleet, accounts, renewal] = [machine('fleet'), machine('accounts'), machine('renewal')];
const event: StopExecutionsEvent = {
  RequestType: 'Delete',
  ResponseURL: 'https://cloudformation.test/reply',
  StackId: 'stack-1',
  RequestId: 'request-1',
  LogicalResourceId: 'Stop',
  PhysicalResourceId: 'physical-1',
  ResourceProperties: { StateMachineArns: [fleet, accounts, renewal] },
};

interface Circumstances {
  /** Executions that run, by state machine. */
  readonly running?: Readonly<Record<string, readonly string[]>>;
  /** An execution of the fleet that begins when this one is stopped, because it has just passed its lease on. */
  readonly continued?: Readonly<Record<string, string>>;
  /** Certificates with TXT values. */
  readonly leftovers?: readonly string[];
  /** Whether an execution that is stopped still runs. */
  readonly unstoppable?: boolean;
  /** Whether a clean-up ends by itself. */
  readonly cleans?: boolean;
  readonly denied?: 'running' | 'leftovers';
}

async function deleted(
  { running = {}, continued = {}, leftovers = [], unstoppable = false, cleans = true, denied }: Circumstances = {},
  given = event,
) {
  const clock = new FakeClock('2026-03-01T12:00:00Z');
  const start = clock.now().getTime();
  const log = new FakeLog();
  const left = new Map(Object.entries(running).map(([arn, executions]) => [arn, [...executions]]));
  const stopped: string[] = [];
  const started: [string, string, unknown][] = [];
  const replies: string[] = [];
  await stopExecutions(given, {
    stateMachines: {
      running: async (arn) => {
        if (denied === 'running') throw deniedError('You may not list.');
        return [...(left.get(arn) ?? [])];
      },
      stop: async (execution) => {
        stopped.push(execution);
        if (unstoppable) return;
        for (const [arn, executions] of left)
          left.set(
            arn,
            executions.filter((each) => each !== execution),
          );
        const next = continued[execution];
        if (next) left.set(fleet, [...(left.get(fleet) ?? []), next]);
      },
      start: async (arn, name, input) => {
        started.push([arn, name, input]);
        if (!cleans) left.set(arn, [...(left.get(arn) ?? []), name]);
      },
    },
    ledger: {
      withLeftovers: async () => {
        if (denied === 'leftovers') throw deniedError('You may not read.');
        return leftovers;
      },
    },
    log,
    clock,
    reply: async (_, body) => {
      replies.push(body);
    },
  });
  const [reply = '{}'] = replies;
  const seconds = (clock.now().getTime() - start) / 1000;
  return { stopped, started, replies, reply: JSON.parse(reply) as Record<string, unknown>, log, seconds };
}

describe('the deletion of a stack', () => {
  test('stops the fleet, then the accounts workflow, then the renewals, and replies when none has run for 10 s', async () => {
    const { stopped, reply, seconds } = await deleted({
      running: { [renewal]: ['renewal-1', 'renewal-2'], [fleet]: ['fleet-1'], [accounts]: ['accounts-1'] },
    });
    expect(stopped).toEqual(['fleet-1', 'accounts-1', 'renewal-1', 'renewal-2']);
    expect(reply).toEqual({
      Status: 'SUCCESS',
      RequestId: 'request-1',
      StackId: 'stack-1',
      LogicalResourceId: 'Stop',
      PhysicalResourceId: 'physical-1',
    });
    expect(seconds).toBeGreaterThanOrEqual(10);
    expect(seconds).toBeLessThan(30);
  });

  test('stops the execution that continues a fleet run, and what it started', async () => {
    const { stopped, reply } = await deleted({
      running: { [fleet]: ['fleet-1'], [renewal]: ['renewal-1'] },
      continued: { 'fleet-1': 'fleet-2' },
    });
    expect(stopped).toEqual(['fleet-1', 'renewal-1', 'fleet-2']);
    expect(reply.Status).toBe('SUCCESS');
  });

  test('starts a clean-up for each certificate that has TXT values in DNS', async () => {
    const { started, stopped } = await deleted({ leftovers: ['www', 'api'] });
    expect(started).toEqual([
      [renewal, 'clean-up-0-request-1', { certificate: 'www', cleanUp: true }],
      [renewal, 'clean-up-1-request-1', { certificate: 'api', cleanUp: true }],
    ]);
    expect(stopped).toEqual([]);
  });

  test('stops a clean-up that does not end', async () => {
    const { stopped, reply, seconds } = await deleted({ leftovers: ['www'], cleans: false });
    expect(stopped).toEqual(['clean-up-0-request-1']);
    expect(reply.Status).toBe('SUCCESS');
    expect(seconds).toBeLessThan(120);
  });

  test.each([
    ['an execution cannot be stopped', { running: { [renewal]: ['renewal-1'] }, unstoppable: true }],
    ['executions cannot be listed', { denied: 'running' }],
    ['the ledger cannot be read', { denied: 'leftovers' }],
    ['nothing works and TXT values are left', { denied: 'running', leftovers: ['www'] }],
  ] as const)('replies success within ten minutes if %s', async (_, circumstances) => {
    const { replies, reply, seconds, log } = await deleted(circumstances);
    expect(replies).toHaveLength(1);
    expect(reply.Status).toBe('SUCCESS');
    expect(seconds).toBeLessThanOrEqual(602);
    if ('denied' in circumstances) expect(log.messages('error').length).toBeGreaterThan(0);
  });
});

test.each(['Create', 'Update'] as const)('a request of type %s stops nothing and succeeds', async (RequestType) => {
  const { PhysicalResourceId: _, ...first } = event;
  const { stopped, reply, seconds } = await deleted(
    { running: { [renewal]: ['renewal-1'] } },
    { ...first, RequestType },
  );
  expect(stopped).toEqual([]);
  expect(reply).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'Stop' });
  expect(seconds).toBe(0);
});

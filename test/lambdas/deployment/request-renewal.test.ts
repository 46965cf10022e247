import { describe, expect, test } from 'vitest';
import { type CertificateRequestEvent, requestRenewal } from '../../../lambdas/deployment/request-renewal.ts';
import { UnexpectedError } from '../../../lambdas/domain/contract/errors.ts';
import { deniedError, throttledError } from '../../fakes/aws-errors.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { deliveryWith } from '../../fakes/specs.ts';

const stateMachine = 'arn:aws:states:us-east-1:123456789012:stateMachine:App-renewal';
const requestId = 'b2c0a1de-1111-4222-8333-444455556666';
const event: CertificateRequestEvent = {
  RequestType: 'Create',
  RequestId: requestId,
  StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/App/1',
  ResourceProperties: {
    StateMachineArn: stateMachine,
    Certificate: 'www',
    Region: 'us-east-1',
    SpecHashes: ['spec'],
    Version: 'before',
  },
};

interface Circumstances {
  /** Errors of the first calls that start the renewal, before a call succeeds. */
  readonly failures?: readonly Error[];
  readonly rollsBack?: boolean;
  /** Errors of the first calls that read the state of the stack. */
  readonly throttled?: readonly Error[];
  /** Duration of each of these calls in milliseconds. */
  readonly taking?: number;
  /** Regions with a delivery in the ledger. */
  readonly delivered?: readonly string[];
}

async function requested(
  given: Partial<CertificateRequestEvent>,
  { failures = [], rollsBack = false, throttled = [], taking = 0, delivered = ['us-east-1'] }: Circumstances = {},
) {
  const started: unknown[] = [];
  const sleeps: number[] = [];
  const pending = [...failures];
  const throttles = [...throttled];
  const ledger = new FakeLedger();
  const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/1';
  const deliveries = delivered.map((region) => [region, deliveryWith({ arn })] as const);
  ledger.put('www', { deliveries: Object.fromEntries(deliveries) });
  let now = Date.parse('2026-03-01T12:00:00Z');
  const answer = await requestRenewal(
    { ...event, ...given },
    {
      stateMachines: {
        start: async (arn, name, input) => {
          const failure = pending.shift();
          if (failure) throw failure;
          started.push([arn, name, input]);
        },
      },
      stacks: {
        rollsBack: async () => {
          const throttle = throttles.shift();
          if (!throttle) return rollsBack;
          now += taking;
          throw throttle;
        },
      },
      ledger,
      clock: {
        now: () => new Date(now),
        sleep: async (milliseconds) => {
          now += milliseconds;
          sleeps.push(milliseconds);
        },
      },
    },
  );
  return { answer, started, sleeps };
}

const name = `www-us-east-1-${requestId}`;

describe('a deployment that needs a certificate', () => {
  test.each(['Create', 'Update'] as const)(
    'starts its renewal on %s and returns the execution to wait for',
    async (type) => {
      const { answer, started } = await requested({ RequestType: type });
      expect(started).toEqual([[stateMachine, name, { certificate: 'www', deploy: true }]]);
      expect(answer).toEqual({
        PhysicalResourceId: 'www/us-east-1',
        ExecutionArn: `arn:aws:states:us-east-1:123456789012:execution:App-renewal:${name}`,
        RequestedAt: '2026-03-01T12:00:00.000Z',
      });
    },
  );

  test('starts one execution for an event that arrives twice, because the request names it', async () => {
    const [first, second] = [await requested({}), await requested({})];
    expect(first.started).toEqual(second.started);
    expect((await requested({ RequestId: 'another' })).started).not.toEqual(first.started);
  });

  test('keeps the name of the execution within 80 characters, with the complete request id', async () => {
    const long = { ...event.ResourceProperties, Certificate: 'c'.repeat(40), Region: 'ap-southeast-1' };
    const { started } = await requested({ ResourceProperties: long });
    const [[, shortened] = []] = started as string[][];
    expect(shortened).toHaveLength(80);
    expect(shortened).toMatch(new RegExp(`^c{40}-ap-${requestId}$`));
  });

  test('retries if a new permission does not work yet', async () => {
    const { started, sleeps } = await requested({}, { failures: [deniedError('not yet')] });
    expect({ sleeps, started: started.length }).toEqual({ sleeps: [5000], started: 1 });
  });

  test('retries throttled calls in a rollback, which must not fail', async () => {
    const throttled = [throttledError('Rate exceeded'), throttledError('Rate exceeded')];
    const { answer, sleeps } = await requested({ RequestType: 'Update' }, { rollsBack: true, throttled });
    expect(sleeps).toEqual([5000, 15_000]);
    expect(answer.ExecutionArn).toBeNull();
  });

  test('does not retry a call that took so long that the function would reach its timeout', async () => {
    const throttled = [throttledError('timed out'), throttledError('timed out')];
    const rejected = requested({ RequestType: 'Update' }, { throttled, taking: 47_000 });
    await expect(rejected).rejects.toThrow('timed out');
  });

  test('fails if the renewal cannot be started', async () => {
    const failures = [new UnexpectedError({ what: 'no such state machine' })];
    await expect(requested({}, { failures })).rejects.toThrow('no such state machine');
  });
});

describe('a deployment that changes other things', () => {
  const before = event.ResourceProperties;
  const update = { RequestType: 'Update', OldResourceProperties: before } as const;
  const others = { ...before, Version: 'after' };

  test('starts no renewal and gets the existing ARN', async () => {
    const { answer, started } = await requested({ ...update, ResourceProperties: others });
    expect(started).toEqual([]);
    expect(answer).toMatchObject({ PhysicalResourceId: 'www/us-east-1', ExecutionArn: null });
  });

  test.each([
    { SpecHashes: ['another'] },
    { SpecHashes: ['spec', 'fallback'] },
    { SpecHashes: [] },
    { Certificate: 'mail' },
    { Region: 'eu-west-1' },
  ])('starts a renewal if it also changes %j', async (change) => {
    const { started } = await requested({ ...update, ResourceProperties: { ...others, ...change } });
    expect(started).toHaveLength(1);
  });

  test('starts a renewal if the ledger has no delivery to the region', async () => {
    const { started } = await requested({ ...update, ResourceProperties: others }, { delivered: ['eu-west-1'] });
    expect(started).toHaveLength(1);
  });

  test('starts a renewal if nothing has changed, because a failed deployment is repeated', async () => {
    expect((await requested({ ...update, ResourceProperties: before })).started).toHaveLength(1);
  });
});

test('a rollback starts no renewal', async () => {
  const { answer, started } = await requested({ RequestType: 'Update' }, { rollsBack: true });
  expect(started).toEqual([]);
  expect(answer).toMatchObject({ PhysicalResourceId: 'www/us-east-1', ExecutionArn: null });
});

test('a deletion starts no renewal and keeps the id of the resource', async () => {
  const { answer, started } = await requested({ RequestType: 'Delete' });
  expect(started).toEqual([]);
  expect(answer).toMatchObject({ PhysicalResourceId: 'www/us-east-1', ExecutionArn: null });
});

import { describe, expect, test } from 'vitest';
import { type CertificateRequestEvent, requestRenewal } from '../../../lambdas/deployment/request-renewal.ts';
import { UnexpectedError } from '../../../lambdas/domain/contract/errors.ts';
import { deniedError, throttledError } from '../../fakes/aws-errors.ts';
import { FakeLedger } from '../../fakes/ledger.ts';

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

interface Met {
  /** What starting the renewal meets, one after the other, before it succeeds. */
  readonly failures?: readonly Error[];
  readonly rollsBack?: boolean;
  /** What the question about the stack meets, likewise. */
  readonly throttled?: readonly Error[];
  /** Milliseconds that each of those takes. */
  readonly taking?: number;
  /** Regions that the ledger knows a delivery to. */
  readonly delivered?: readonly string[];
}

async function requested(
  given: Partial<CertificateRequestEvent>,
  { failures = [], rollsBack = false, throttled = [], taking = 0, delivered = ['us-east-1'] }: Met = {},
) {
  const started: unknown[] = [];
  const sleeps: number[] = [];
  const pending = [...failures];
  const refusals = [...throttled];
  const ledger = new FakeLedger();
  const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/1';
  const deliveries = delivered.map((region) => [region, { arn, versionId: 'v1', keyType: 'P-256' }] as const);
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
          const refusal = refusals.shift();
          if (!refusal) return rollsBack;
          now += taking;
          throw refusal;
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
  test.each(['Create', 'Update'] as const)('starts its renewal on %s, and says which one to wait for', async (type) => {
    const { answer, started } = await requested({ RequestType: type });
    expect(started).toEqual([[stateMachine, name, { certificate: 'www', deploy: true }]]);
    expect(answer).toEqual({
      PhysicalResourceId: 'www/us-east-1',
      ExecutionArn: `arn:aws:states:us-east-1:123456789012:execution:App-renewal:${name}`,
      RequestedAt: '2026-03-01T12:00:00.000Z',
    });
  });

  test('names the execution after CloudFormation’s request: an event that comes twice starts one', async () => {
    const [first, second] = [await requested({}), await requested({})];
    expect(first.started).toEqual(second.started);
    expect((await requested({ RequestId: 'another' })).started).not.toEqual(first.started);
  });

  test('keeps the name to 80 characters and the request in it, however long the certificate’s is', async () => {
    const long = { ...event.ResourceProperties, Certificate: 'c'.repeat(40), Region: 'ap-southeast-1' };
    const { started } = await requested({ ResourceProperties: long });
    const [[, shortened] = []] = started as string[][];
    expect(shortened).toHaveLength(80);
    expect(shortened).toMatch(new RegExp(`^c{40}-ap-${requestId}$`));
  });

  test('waits for a permission that does not hold yet', async () => {
    const { started, sleeps } = await requested({}, { failures: [deniedError('not yet')] });
    expect({ sleeps, started: started.length }).toEqual({ sleeps: [5000], started: 1 });
  });

  test('is not failed by a call too many: in a rollback that would leave a stack nobody gets going', async () => {
    const throttled = [throttledError('Rate exceeded'), throttledError('Rate exceeded')];
    const { answer, sleeps } = await requested({ RequestType: 'Update' }, { rollsBack: true, throttled });
    expect(sleeps).toEqual([5000, 15_000]);
    expect(answer.ExecutionArn).toBeNull();
  });

  test('does not ask again when a call has hung for so long that the function would die before it answers', async () => {
    const throttled = [throttledError('timed out'), throttledError('timed out')];
    const asking = requested({ RequestType: 'Update' }, { throttled, taking: 47_000 });
    await expect(asking).rejects.toThrow('timed out');
  });

  test('fails when the renewal cannot be started', async () => {
    const failures = [new UnexpectedError({ what: 'no such state machine' })];
    await expect(requested({}, { failures })).rejects.toThrow('no such state machine');
  });
});

describe('a deployment that changes other things', () => {
  const asked = event.ResourceProperties;
  const update = { RequestType: 'Update', OldResourceProperties: asked } as const;
  const others = { ...asked, Version: 'after' };

  test('starts no renewal, and hears the ARN that there is by now', async () => {
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
  ])('and this one too starts it: %j', async (change) => {
    const { started } = await requested({ ...update, ResourceProperties: { ...others, ...change } });
    expect(started).toHaveLength(1);
  });

  test('starts it where the ledger has lost the delivery', async () => {
    const { started } = await requested({ ...update, ResourceProperties: others }, { delivered: ['eu-west-1'] });
    expect(started).toHaveLength(1);
  });

  test('is not one that is tried again after it failed, with all the same', async () => {
    expect((await requested({ ...update, ResourceProperties: asked })).started).toHaveLength(1);
  });
});

test('a deployment that is taken back orders nothing back', async () => {
  const { answer, started } = await requested({ RequestType: 'Update' }, { rollsBack: true });
  expect(started).toEqual([]);
  expect(answer).toMatchObject({ PhysicalResourceId: 'www/us-east-1', ExecutionArn: null });
});

test('deleting the resource does nothing at all, and keeps its id', async () => {
  const { answer, started } = await requested({ RequestType: 'Delete' });
  expect(started).toEqual([]);
  expect(answer).toMatchObject({ PhysicalResourceId: 'www/us-east-1', ExecutionArn: null });
});

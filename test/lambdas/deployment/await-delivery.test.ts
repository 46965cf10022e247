import { describe, expect, test } from 'vitest';
import {
  type AwaitDeliveryEvent,
  awaitDelivery,
  type NotDeliveredError,
} from '../../../lambdas/deployment/await-delivery.ts';
import type { LedgerCertificate } from '../../../lambdas/domain/ports/ledger.ts';
import type { ExecutionEnd } from '../../../lambdas/domain/ports/state-machines.ts';
import { specHash } from '../../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { deniedError, throttledError } from '../../fakes/aws-errors.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { execution, factsWith } from '../../fakes/specs.ts';

const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/1';
const current = factsWith();
const delivered = { 'us-east-1': { arn, versionId: current.versionId, keyType: current.keyType } };
const event: AwaitDeliveryEvent = {
  RequestType: 'Create',
  RequestId: 'request-1',
  StackId: 'stack-1',
  ResourceProperties: {
    StateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:App-renewal',
    Certificate: 'www',
    Region: 'us-east-1',
    SpecHashes: [specHash(current)],
    Version: 'one',
  },
  PhysicalResourceId: 'www/us-east-1',
  ExecutionArn: execution,
  RequestedAt: '2026-03-01T12:00:00.000Z',
};

interface Found {
  readonly record?: Partial<LedgerCertificate>;
  /** @default `null`: it runs */
  readonly end?: ExecutionEnd | Error | null;
  readonly at?: string;
}

function look(given: Partial<AwaitDeliveryEvent>, { record = {}, end = null, at = '2026-03-01T12:00:10Z' }: Found) {
  const ledger = new FakeLedger();
  ledger.put('www', record);
  return awaitDelivery(
    { ...event, ...given },
    {
      stateMachines: {
        end: async () => {
          if (end instanceof Error) throw end;
          return end;
        },
      },
      ledger,
      clock: { now: () => new Date(at) },
    },
  );
}

const succeeded: ExecutionEnd = { status: 'SUCCEEDED', output: { reason: 'nothing to do' } };
const complete = { IsComplete: true, Data: { Arn: arn } };
const failure = {
  count: 1,
  issuerFailures: 1,
  last: '2026-03-01T12:01:00.000Z',
  error: 'CaUnavailableError',
  cause: 'The CA is away.',
};

describe('a certificate that is delivered', () => {
  test('completes the resource with its ARN', async () => {
    expect(await look({}, { record: { current, deliveries: delivered }, end: succeeded })).toEqual(complete);
  });

  test('does so while its renewal goes on: another region, or a look at the servers, keeps nobody waiting', async () => {
    expect(await look({}, { record: { current, deliveries: delivered } })).toEqual(complete);
    const end: ExecutionEnd = { status: 'FAILED', error: 'ImportRefusedError', cause: 'Not in eu-west-1.' };
    expect(await look({}, { record: { current, deliveries: delivered }, end })).toEqual(complete);
  });

  test('may be one of a fallback issuer', async () => {
    const fallback = { ...current, directoryUrl: 'https://other.test/directory' };
    const ResourceProperties = {
      ...event.ResourceProperties,
      SpecHashes: [specHash(current), specHash(fallback)],
    };
    const record = { current: fallback, deliveries: delivered };
    expect(await look({ ResourceProperties }, { record })).toEqual(complete);
  });

  test.each([
    ['of the version before', { deliveries: { 'us-east-1': { ...delivered['us-east-1'], versionId: 'version-0' } } }],
    ['to another region only', { deliveries: { 'eu-west-1': delivered['us-east-1'] } }],
    ['with other names than configured', { current: factsWith({ identifiers: ['other.example.com'] }) }],
    ['with another key type than configured', { current: factsWith({ keyType: 'RSA-2048' }) }],
    ['and has expired', { current: factsWith({ notAfter: '2026-03-01T12:00:00Z' }) }],
    ['though nothing is stored', { current: null }],
  ])('%s is not enough', async (_, record) => {
    expect(await look({}, { record: { current, deliveries: delivered, ...record } })).toEqual({ IsComplete: false });
  });
});

describe('a renewal that ended without a delivery fails the deployment', () => {
  const reason = (end: ExecutionEnd, record: Partial<LedgerCertificate> = {}) =>
    look({}, { end, record }).then(
      () => 'none',
      (error: NotDeliveredError) => {
        expect(error).toMatchObject({ name: 'NotDeliveredError', execution });
        return error.message;
      },
    );

  test('by its own error and words', async () => {
    const cause = 'Set these records: example.com. 3600 IN NS ns-1.awsdns-1.test.';
    expect(await reason({ status: 'FAILED', error: 'ZoneNotDelegatedError', cause })).toBe(
      `ZoneNotDelegatedError: ${cause}`,
    );
  });

  test('by a name of its own where Step Functions itself ended it', async () => {
    const cause = 'The execution reached 25,000 events.';
    expect(await reason({ status: 'FAILED', error: 'States.Runtime', cause })).toBe(
      `UnexpectedError: States.Runtime: ${cause}`,
    );
  });

  test('by what the execution recorded that it met at work', async () => {
    const held = 'no attempt before 2026-03-01T12:02:00.000Z, after 1 failures, the last one CaUnavailableError';
    const said = await reason({ status: 'SUCCEEDED', output: { reason: held } }, { failure });
    expect(said).toContain('CaUnavailableError: The CA is away. ');
    expect(said).toContain(`ended without a delivery to us-east-1: ${held}.`);
  });

  test('and says so where another is still at it', async () => {
    const inProgress = 'in progress by arn:other';
    expect(await reason({ status: 'SUCCEEDED', output: { reason: inProgress } })).toBe(
      `The renewal of certificate www ended without a delivery to us-east-1: ${inProgress}.`,
    );
  });

  test.each([
    ['ABORTED', 'was stopped'],
    ['TIMED_OUT', 'ran out of time'],
  ] as const)('in words when it was %s', async (status, words) => {
    expect(await reason({ status })).toContain(`The renewal of certificate www ${words} before it was delivered`);
  });

  test('though what is in ACM is of the configuration before: a change is not done by what was there', async () => {
    const end: ExecutionEnd = { status: 'FAILED', error: 'CaaError', cause: 'No.' };
    const changed = { current: factsWith({ keyType: 'RSA-2048' }), deliveries: delivered };
    expect(await reason(end, changed)).toContain('CaaError: No.');
  });
});

describe('a look that cannot be taken', () => {
  test('because a permission is new is taken again for three minutes, then fails', async () => {
    const end = deniedError('states:DescribeExecution was denied');
    expect(await look({}, { end, at: '2026-03-01T12:02:59Z' })).toEqual({ IsComplete: false });
    await expect(look({}, { end, at: '2026-03-01T12:03:00Z' })).rejects.toThrow('was denied');
  });

  test('because AWS asks to slow down is taken again', async () => {
    const end = throttledError();
    expect(await look({}, { end, at: '2026-03-01T12:20:00Z' })).toEqual({ IsComplete: false });
  });
});

test('CloudFormation is not kept waiting for more than 29 minutes, and told what goes on', async () => {
  expect(await look({}, { at: '2026-03-01T12:29:00Z' })).toEqual({ IsComplete: false });
  await expect(look({}, { at: '2026-03-01T12:29:01Z' })).rejects.toThrow('has not ended after 29 minutes');
});

describe('a deployment that is taken back', () => {
  const taken = { RequestType: 'Update', ExecutionArn: null } as const;

  test('gets the ARN that is there, whatever it holds by now', async () => {
    const record = { current: factsWith({ keyType: 'RSA-2048', versionId: 'version-2' }), deliveries: delivered };
    expect(await look(taken, { record })).toEqual(complete);
  });

  test('fails where there is none', async () => {
    await expect(look(taken, {})).rejects.toThrow(
      /^The ledger knows no delivery of certificate www to us-east-1, .*\. Start its renewal/,
    );
  });
});

test('deleting the resource waits for nothing', async () => {
  expect(await look({ RequestType: 'Delete', ExecutionArn: null }, {})).toEqual({ IsComplete: true });
});

import { describe, expect, test } from 'vitest';
import {
  type AwaitDeliveryEvent,
  awaitDelivery,
  type NotDeliveredError,
} from '../../../lambdas/deployment/await-delivery.ts';
import type { LedgerCertificate } from '../../../lambdas/domain/ports/ledger-certificate.ts';
import type { ExecutionEnd } from '../../../lambdas/domain/ports/state-machines.ts';
import { specHash } from '../../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { deniedError, throttledError } from '../../fakes/aws-errors.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { deliveryWith, execution, factsWith } from '../../fakes/specs.ts';

const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/1';
const current = factsWith();
const delivered = { 'us-east-1': deliveryWith({ arn }) };
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
  /** End of the execution. @default null, while it runs */
  readonly end?: ExecutionEnd | Error | null;
  readonly at?: string;
}

function awaited(given: Partial<AwaitDeliveryEvent>, { record = {}, end = null, at = '2026-03-01T12:00:10Z' }: Found) {
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

describe('a delivered certificate', () => {
  test('completes the resource with its ARN', async () => {
    expect(await awaited({}, { record: { current, deliveries: delivered }, end: succeeded })).toEqual(complete);
  });

  test('completes the resource although its renewal still runs or has failed in another region', async () => {
    expect(await awaited({}, { record: { current, deliveries: delivered } })).toEqual(complete);
    const end: ExecutionEnd = { status: 'FAILED', error: 'ImportRefusedError', cause: 'Not in eu-west-1.' };
    expect(await awaited({}, { record: { current, deliveries: delivered }, end })).toEqual(complete);
  });

  test('completes the resource if it is from a fallback issuer', async () => {
    const fallback = { ...current, directoryUrl: 'https://other.test/directory' };
    const ResourceProperties = {
      ...event.ResourceProperties,
      SpecHashes: [specHash(current), specHash(fallback)],
    };
    const record = { current: fallback, deliveries: delivered };
    expect(await awaited({ ResourceProperties }, { record })).toEqual(complete);
  });

  test.each([
    ['of the previous version', { deliveries: { 'us-east-1': { ...delivered['us-east-1'], versionId: 'version-0' } } }],
    ['to another region only', { deliveries: { 'eu-west-1': delivered['us-east-1'] } }],
    ['with other names than configured', { current: factsWith({ identifiers: ['other.example.com'] }) }],
    ['with another key type than configured', { current: factsWith({ keyType: 'RSA-2048' }) }],
    ['that has expired', { current: factsWith({ notAfter: '2026-03-01T12:00:00Z' }) }],
    ['without a stored certificate', { current: null }],
  ])('%s does not complete the resource', async (_, record) => {
    expect(await awaited({}, { record: { current, deliveries: delivered, ...record } })).toEqual({ IsComplete: false });
  });
});

describe('a renewal that ended without a delivery fails the deployment', () => {
  const reason = (end: ExecutionEnd, record: Partial<LedgerCertificate> = {}) =>
    awaited({}, { end, record }).then(
      () => 'none',
      (error: NotDeliveredError) => {
        expect(error).toMatchObject({ name: 'NotDeliveredError', execution });
        return error.message;
      },
    );

  test('with its own error and message', async () => {
    const cause = 'Set these records: example.com. 3600 IN NS ns-1.awsdns-1.test.';
    expect(await reason({ status: 'FAILED', error: 'ZoneNotDelegatedError', cause })).toBe(
      `ZoneNotDelegatedError: ${cause}`,
    );
  });

  test('with UnexpectedError if Step Functions itself ended it', async () => {
    const cause = 'The execution reached 25,000 events.';
    expect(await reason({ status: 'FAILED', error: 'States.Runtime', cause })).toBe(
      `UnexpectedError: States.Runtime: ${cause}`,
    );
  });

  test('with the failure in the ledger if the execution found a failure there', async () => {
    const waiting = 'no attempt before 2026-03-01T12:02:00.000Z, after 1 failure, CaUnavailableError';
    const said = await reason({ status: 'SUCCEEDED', output: { reason: waiting } }, { failure });
    expect(said).toContain('CaUnavailableError: The CA is away. ');
    expect(said).toContain(`ended without a delivery to us-east-1: ${waiting}.`);
  });

  test('with the reason that another execution is in progress', async () => {
    const inProgress = 'in progress by arn:other';
    expect(await reason({ status: 'SUCCEEDED', output: { reason: inProgress } })).toBe(
      `The renewal of certificate www ended without a delivery to us-east-1: ${inProgress}.`,
    );
  });

  test.each([
    ['ABORTED', 'was stopped'],
    ['TIMED_OUT', 'timed out'],
  ] as const)('with a sentence if it was %s', async (status, words) => {
    expect(await reason({ status })).toContain(
      `The renewal of certificate www ${words} before the certificate was delivered`,
    );
  });

  test('although ACM has the certificate of the previous configuration', async () => {
    const end: ExecutionEnd = { status: 'FAILED', error: 'CaaError', cause: 'No.' };
    const changed = { current: factsWith({ keyType: 'RSA-2048' }), deliveries: delivered };
    expect(await reason(end, changed)).toContain('CaaError: No.');
  });
});

describe('a check that fails', () => {
  test('because a permission is new is repeated for three minutes and then throws', async () => {
    const end = deniedError('states:DescribeExecution was denied');
    expect(await awaited({}, { end, at: '2026-03-01T12:02:59Z' })).toEqual({ IsComplete: false });
    await expect(awaited({}, { end, at: '2026-03-01T12:03:00Z' })).rejects.toThrow('was denied');
  });

  test('because AWS throttles it is repeated', async () => {
    const end = throttledError();
    expect(await awaited({}, { end, at: '2026-03-01T12:20:00Z' })).toEqual({ IsComplete: false });
  });
});

test('fails after 29 minutes and says that the renewal still runs', async () => {
  expect(await awaited({}, { at: '2026-03-01T12:29:00Z' })).toEqual({ IsComplete: false });
  await expect(awaited({}, { at: '2026-03-01T12:29:01Z' })).rejects.toThrow('has not ended after 29 minutes');
});

describe('a deployment that started no renewal', () => {
  const rollback = { RequestType: 'Update', ExecutionArn: null } as const;

  test('gets the existing ARN, with any certificate', async () => {
    const record = { current: factsWith({ keyType: 'RSA-2048', versionId: 'version-2' }), deliveries: delivered };
    expect(await awaited(rollback, { record })).toEqual(complete);
  });

  test('fails without an existing ARN', async () => {
    await expect(awaited(rollback, {})).rejects.toThrow(
      /^Certificate www has no ARN in us-east-1.*\. Start its renewal/,
    );
  });
});

test('completes a deletion immediately', async () => {
  expect(await awaited({ RequestType: 'Delete', ExecutionArn: null }, {})).toEqual({ IsComplete: true });
});

import { describe, expect, test } from 'vitest';
import * as errors from '../../../../../lambdas/domain/contract/errors.ts';
import type { FailureReport } from '../../../../../lambdas/domain/contract/failure.ts';
import { treatments } from '../../../../../lambdas/domain/rules/failure/failure-treatments.ts';
import {
  type FailureSituation,
  failedIdentifiers,
  judgeFailure,
} from '../../../../../lambdas/domain/rules/failure/retry-schedule.ts';

const now = new Date('2026-03-01T12:00:00Z');
const urn = (type: string): string => `urn:ietf:params:acme:error:${type}`;

const report = (error: string, problem: errors.ProblemDocument | null = null): FailureReport => ({
  error,
  sentence: 'What happened.',
  fields: {},
  problem,
});

function judge(failure: FailureReport, situation: Partial<FailureSituation> = {}) {
  const { notBefore, ...verdict } = judgeFailure(
    failure,
    { attempt: 1, failures: 1, current: null, emergency: false, issuerChanges: false, random: 0, ...situation },
    now,
  );
  return { ...verdict, notBefore: notBefore?.toISOString() ?? null };
}

const told = (retryAfter: number): FailureReport =>
  report('RateLimitedError', { type: urn('rateLimited'), status: 429, retryAfter });

describe('a temporary failure', () => {
  test.each([
    [1, 1, 60, '2026-03-01T12:01:00.000Z'],
    [2, 2, 600, '2026-03-01T12:10:00.000Z'],
    [3, 3, 6000, '2026-03-01T13:40:00.000Z'],
    [4, 4, null, '2026-03-02T12:00:00.000Z'],
    // A new execution on the next day, whose first failure is the fifth in a row.
    [1, 5, null, '2026-03-02T12:00:00.000Z'],
    // The ledger was lost, but the execution knows its own attempt.
    [3, 1, 6000, '2026-03-01T13:40:00.000Z'],
  ])('of attempt %i and failure %i in a row is retried in %j s, at %s', (attempt, failures, retryIn, at) => {
    expect(judge(report('PropagationTimeoutError'), { attempt, failures })).toEqual({
      counted: true,
      quiet: false,
      issuersFault: false,
      limit: false,
      action: null,
      dropOrder: false,
      retryIn,
      notBefore: at,
    });
  });

  test.each([
    // A lifetime of six days and sixteen hours: an eighth of the time left.
    ['2026-02-27T00:00:00Z', '2026-03-05T16:00:00Z', '2026-03-02T00:30:00.000Z'],
    ['2026-02-24T00:00:00Z', '2026-03-02T16:00:00Z', '2026-03-01T15:30:00.000Z'],
    // A lifetime of ten days or more: one day, however little time is left.
    ['2026-02-20T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-02T12:00:00.000Z'],
    // An eighth of ten hours is 75 minutes, so the last delay of the schedule applies. It also applies after expiry.
    ['2026-02-23T06:00:00Z', '2026-03-01T22:00:00Z', '2026-03-01T13:40:00.000Z'],
    ['2026-02-22T06:00:00Z', '2026-02-28T22:00:00Z', '2026-03-01T13:40:00.000Z'],
  ])('of a certificate from %s to %s is retried at %s after the schedule', (notBefore, notAfter, at) => {
    expect(
      judge(report('UnexpectedError'), { attempt: 4, failures: 4, current: { notBefore, notAfter } }),
    ).toMatchObject({
      retryIn: null,
      notBefore: at,
    });
  });
});

describe('a Retry-After of the CA', () => {
  test.each([
    // The scheduled delay is the minimum, so that a CA which always sends one second does not receive a request every second.
    ['0', 0, 1, 60, '2026-03-01T12:01:00.000Z'],
    ['one second', 1, 2, 600, '2026-03-01T12:10:00.000Z'],
    ['a quarter of an hour', 900, 1, 901, '2026-03-01T12:15:01.000Z'],
    ['close to two hours', 7199, 3, 7200, '2026-03-01T14:00:00.000Z'],
    ['two hours', 7200, 1, null, '2026-03-01T14:00:01.000Z'],
    ['a day and a half', 129_600, 1, null, '2026-03-03T00:00:01.000Z'],
    ['three years', 94_608_000, 1, null, '2026-03-08T12:00:01.000Z'],
    // The schedule is over: the next fleet run after that time, but at least the last delay of the schedule.
    ['a minute', 60, 4, null, '2026-03-01T13:40:00.000Z'],
    ['three hours', 10_800, 5, null, '2026-03-01T15:00:01.000Z'],
  ])('%s (%i s) at failure %i is obeyed: again in %j s, at %s', (_, seconds, failures, retryIn, at) => {
    expect(judge(told(seconds), { failures })).toMatchObject({
      counted: true,
      quiet: false,
      issuersFault: true,
      action: null,
      retryIn,
      notBefore: at,
    });
  });

  test.each([
    [0, 3601],
    [0.5, 3780],
    [0.999_999, 3959],
  ])('is asked up to a tenth later, so that not all come at once: by chance %d after %i s', (random, retryIn) => {
    expect(judge(told(3600), { random }).retryIn).toBe(retryIn);
  });

  test('is also used from an unavailable CA and from our own limits', () => {
    const problem = { type: 'about:blank', retryAfter: 1000 };
    for (const error of ['CaUnavailableError', 'CaBusyError', 'IssueCapError', 'ValidationLimitError']) {
      expect(judge(report(error, problem)), error).toMatchObject({ counted: true, retryIn: 1001 });
    }
  });

  test('that is missing leaves the retry schedule in force', () => {
    for (const error of ['RateLimitedError', 'CaUnavailableError', 'IssueCapError']) {
      expect(judge(report(error)), error).toMatchObject({ counted: true, retryIn: 60 });
    }
  });

  test('does not apply to another issuer that is used next', () => {
    expect(judge(told(129_600), { failures: 3, issuerChanges: true }).retryIn).toBe(6000);
    const cap = report('IssueCapError', { type: 'about:blank', retryAfter: 50_000 });
    expect(judge(cap, { issuerChanges: true })).toMatchObject({ retryIn: null, notBefore: '2026-03-02T01:53:21.000Z' });
  });
});

describe('an error that only the operator can fix', () => {
  const operatorErrors = [
    ['CaaError', /CAA records of example\.com.*allow this CA/],
    ['RejectedIdentifierError', /Remove example\.com from/],
    ['UnsupportedIdentifierError', /Remove example\.com from/],
    ['BadCsrError', /key type/],
    ['UserActionRequiredError', /https:\/\/ca\.test\/terms.*new terms/],
    ['InvalidProfileError', /profile that the CA offers/],
    ['ExternalAccountRequiredError', /external account binding/],
    ['ExternalAccountBindingError', /binding/],
    ['ContactRefusedError', /contact that the CA accepts/],
    ['TermsNotAgreedError', /termsOfServiceAgreed/],
    ['AccountPausedError', /end the pause at https:\/\/ca\.test\/terms/],
    ['AccountDoesNotExistError', /account secret/],
    ['AccountNotValidError', /deactivated or revoked.*delete its secret/],
    ['ZoneNotFoundError', /delegate/],
    // Their messages may ask to add or to remove a record, so the action must not contradict them.
    ['ZoneNotDelegatedError', /^Correct the NS records as the message says/],
    ['ChallengeAliasError', /^Correct the CNAME as the message says/],
    ['RecordSetRefusedError', /TXT record/],
    ['SecretDeletedError', /Restore/],
    ['UnreadableSecretError', /secret/],
    ['ImportRefusedError', /ACM/],
    ['ImportLimitError', /quota/],
  ] as const;

  test.each(['UserActionRequiredError', 'AccountPausedError'])(
    '%s has the link of the problem document in its action',
    (error) => {
      const problem = {
        type: 'about:blank',
        detail: 'See https://ca.test/docs.',
        instance: 'https://ca.test/agreement?…',
      };
      expect(judge(report(error, problem)).action).toMatch(/at https:\/\/ca\.test\/agreement\?….*accountLink/);
    },
  );

  test.each(operatorErrors)('%s has an action and is retried once a day', (error, action) => {
    const problem = { type: 'about:blank', identifier: 'example.com', detail: 'Please visit https://ca.test/terms.' };
    expect(judge(report(error, problem))).toEqual({
      counted: true,
      quiet: false,
      issuersFault: false,
      limit: error === 'AccountPausedError',
      action: expect.stringMatching(action),
      dropOrder: false,
      retryIn: null,
      notBefore: '2026-03-02T12:00:00.000Z',
    });
  });

  test('is recognised in an invalid order and in a failed challenge', () => {
    const caa = { type: urn('caa'), identifier: 'b.example.com' };
    const dns = { type: urn('dns'), identifier: 'a.example.com' };
    const actions = [
      report('OrderInvalidError', caa),
      report('ChallengeFailedError', caa),
      report('ChallengeFailedError', { ...dns, subproblems: [dns, caa] }),
      report('AcmeProblemError', { type: urn('compound'), subproblems: [dns, caa] }),
    ].map((failure) => judge(failure));
    for (const verdict of actions) {
      expect(verdict).toMatchObject({ retryIn: null, issuersFault: false, action: expect.stringContaining('CAA') });
      expect(verdict.action).toContain('b.example.com');
    }
  });

  test('includes a denied call only after a second denial, because permissions take time to propagate', () => {
    expect(judge(report('AccessDeniedError'))).toMatchObject({ retryIn: 60, action: null });
    expect(judge(report('AccessDeniedError'), { attempt: 2, failures: 2 })).toMatchObject({
      retryIn: null,
      action: expect.stringContaining('Allow the call'),
      notBefore: '2026-03-02T12:00:00.000Z',
    });
  });
});

describe('an error that is not a failure of the certificate', () => {
  test.each([
    ['ThrottledError', 1, null],
    ['OrderSharedError', 1, 1],
    ['OrderSharedError', 3, 1],
    ['OrderSharedError', 4, null],
    ['LeaseLostError', 1, null],
    ['FunctionsReplacedError', 1, null],
  ])('%s at attempt %i is not counted and is retried in %j s', (error, attempt, retryIn) => {
    expect(judge(report(error), { attempt, failures: 9 })).toMatchObject({ counted: false, action: null, retryIn });
  });
});

test('a rejected reader has an action, does not count as a failure and delays nothing', () => {
  for (const attempt of [1, 2, 4]) {
    expect(judge(report('SecretAccessError'), { attempt, failures: 9 })).toEqual({
      counted: false,
      quiet: false,
      issuersFault: false,
      limit: false,
      action: expect.stringContaining('readers or replicas'),
      dropOrder: false,
      retryIn: null,
      notBefore: null,
    });
  }
});

describe('a saved order', () => {
  test.each([
    ['OrderSharedError', 1, true],
    ['CompromisedKeyError', 1, true],
    ['StagedKeyMissingError', 1, true],
    // The certificate is downloaded again before another one is ordered.
    ['CertificateMismatchError', 1, false],
    ['CertificateMismatchError', 2, true],
    ['OrderTimeoutError', 4, false],
    ['CaUnavailableError', 4, false],
  ])('is dropped after %s number %i: %j', (error, failures, dropOrder) => {
    expect(judge(report(error), { failures }).dropOrder).toBe(dropOrder);
  });
});

test('drops a stuck order in an emergency', () => {
  expect(judge(report('OrderTimeoutError'), { emergency: true }).dropOrder).toBe(true);
});

describe('another issuer may succeed', () => {
  const unauthorized = { type: urn('unauthorized'), identifier: 'example.com' };
  test.each([
    ['CaUnavailableError', null, true],
    ['RateLimitedError', null, true],
    ['OrderTimeoutError', null, true],
    ['OrderInvalidError', { type: urn('serverInternal') }, true],
    ['CertificateMismatchError', null, true],
    ['ChallengeFailedError', unauthorized, true],
    // A broken zone fails at every issuer.
    ['ChallengeFailedError', { type: urn('dns'), identifier: 'example.com' }, false],
    ['PropagationTimeoutError', null, false],
    ['StepTimedOutError', null, false],
    ['CaaError', null, false],
    ['IssueCapError', null, false],
  ])('after %s with %j: %j', (error, problem, issuersFault) => {
    expect(judge(report(error, problem)).issuersFault).toBe(issuersFault);
  });
});

test('the text of a problem document does not matter', () => {
  const words = 'rate limited, CAA forbids, account paused, retry after 2026-03-09 00:00:00 UTC';
  const problem = { type: urn('serverInternal'), status: 500 };
  expect(judge(report('CaUnavailableError', { ...problem, detail: words }))).toEqual(
    judge(report('CaUnavailableError', problem)),
  );
});

describe('a failure while a deployment waits', () => {
  const deployedFor = 0;

  test.each([
    'PropagationTimeoutError',
    'CaUnavailableError',
    'ChallengeFailedError',
    'ZoneNotDelegatedError',
    'ThrottledError',
    'OrderSharedError',
    'UnexpectedError',
  ])('by %s ends the execution, and is recorded as ever', (error) => {
    const { retryIn, ...ever } = judge(report(error));
    expect(judge(report(error), { deployedFor })).toEqual({ ...ever, retryIn: null });
  });

  test('ends the execution also with a Retry-After of the CA', () => {
    expect(judge(told(900), { deployedFor })).toMatchObject({ retryIn: null, notBefore: '2026-03-01T12:15:01.000Z' });
  });

  test.each(['AccessDeniedError', 'RoleNotAssumedError'])('%s is retried every 20 s for three minutes', (error) => {
    const tries = Array.from({ length: 10 }, (_, index) =>
      judge(report(error), { attempt: index + 1, failures: index + 1, deployedFor: index * 20 }),
    );
    expect(tries.map(({ retryIn }) => retryIn)).toEqual([...Array(9).fill(20), null]);
    expect(tries.map(({ quiet }) => quiet)).toEqual([...Array(9).fill(true), false]);
    expect(tries[0]).toMatchObject({ counted: false, action: null, notBefore: '2026-03-01T12:00:20.000Z' });
    expect(tries[9]?.action).toBe(judge(report(error), { attempt: 10, failures: 10 }).action);
  });

  test('by a denied call is retried in the same way after other failures', () => {
    expect(judge(report('AccessDeniedError'), { attempt: 1, failures: 7, deployedFor })).toMatchObject({ retryIn: 20 });
  });

  test('by a call that was denied for three minutes in place is not retried for three more', () => {
    const denied = judge(report('AccessDeniedError'), { attempt: 1, failures: 1, deployedFor: 185 });
    expect(denied).toMatchObject({ counted: true, retryIn: null });
  });
});

test('every error class has a treatment', () => {
  const names = Object.keys(errors).filter((name) => name !== 'PerennialError');
  expect(Object.keys(treatments).sort()).toEqual(names.sort());
});

test('an unknown error class follows the retry schedule', () => {
  expect(judge(report('NewerError'))).toMatchObject({ counted: true, retryIn: 60 });
});

describe('the identifiers with a failed validation', () => {
  test('are those of each failed challenge, once', () => {
    const problem = { type: urn('dns'), identifier: 'a.example.com' };
    const subproblems = [problem, { type: urn('caa'), identifier: '*.example.com' }, { type: urn('dns') }];
    expect(failedIdentifiers(report('ChallengeFailedError', { ...problem, subproblems }))).toEqual([
      'a.example.com',
      '*.example.com',
    ]);
    expect(failedIdentifiers(report('ChallengeFailedError', problem))).toEqual(['a.example.com']);
  });

  test('are none where the CA did not validate', () => {
    const problem = { type: urn('rejectedIdentifier'), identifier: 'a.example.com' };
    expect(failedIdentifiers(report('RejectedIdentifierError', problem))).toEqual([]);
    expect(failedIdentifiers(report('ChallengeFailedError'))).toEqual([]);
  });
});

describe('the delay of a failure is that of a limit', () => {
  const rateLimited = { type: urn('rateLimited'), detail: 'Too many certificates.' };
  const withRetryAfter = { type: urn('serverInternal'), status: 500, retryAfter: 18_000 };

  test.each([
    ['RateLimitedError', null, true],
    ['CaUnavailableError', null, true],
    ['AccountPausedError', null, true],
    ['IssueCapError', null, true],
    ['ValidationLimitError', null, true],
    ['OrderInvalidError', rateLimited, true],
    ['ChallengeFailedError', { type: 'about:blank', subproblems: [rateLimited] }, true],
    ['OrderInvalidError', withRetryAfter, true],
    ['OrderInvalidError', null, false],
    ['CaaError', null, false],
    ['AccessDeniedError', null, false],
    ['UnexpectedError', null, false],
  ])('after %s with the problem %j: %s', (error, problem, limit) => {
    expect(judge(report(error, problem)).limit).toBe(limit);
    expect(judge(report(error, problem), { deployedFor: 200 }).limit).toBe(limit);
  });
});

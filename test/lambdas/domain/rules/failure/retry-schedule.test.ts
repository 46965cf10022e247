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
    { attempt: 1, failures: 1, current: null, issuerChanges: false, random: 0, ...situation },
    now,
  );
  return { ...verdict, notBefore: notBefore?.toISOString() ?? null };
}

const told = (retryAfter: number): FailureReport =>
  report('RateLimitedError', { type: urn('rateLimited'), status: 429, retryAfter });

describe('a failure that may pass', () => {
  test.each([
    [1, 1, 60, '2026-03-01T12:01:00.000Z'],
    [2, 2, 600, '2026-03-01T12:10:00.000Z'],
    [3, 3, 6000, '2026-03-01T13:40:00.000Z'],
    [4, 4, null, '2026-03-02T12:00:00.000Z'],
    // The next day: an execution of its own, whose first failure is the fifth in a row.
    [1, 5, null, '2026-03-02T12:00:00.000Z'],
    // A ledger that was lost: the execution knows how often it has tried.
    [3, 1, 6000, '2026-03-01T13:40:00.000Z'],
  ])(
    'of attempt %i, the failure in a row number %i, is tried again in %j s, at %s',
    (attempt, failures, retryIn, at) => {
      expect(judge(report('PropagationTimeoutError'), { attempt, failures })).toEqual({
        counted: true,
        quiet: false,
        issuersFault: false,
        action: null,
        dropOrder: false,
        retryIn,
        notBefore: at,
      });
    },
  );

  test.each([
    // Six days and sixteen hours: an eighth of what is left.
    ['2026-02-27T00:00:00Z', '2026-03-05T16:00:00Z', '2026-03-02T00:30:00.000Z'],
    ['2026-02-24T00:00:00Z', '2026-03-02T16:00:00Z', '2026-03-01T15:30:00.000Z'],
    // Ten days and more: a day, however little is left.
    ['2026-02-20T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-02T12:00:00.000Z'],
    // An eighth of ten hours is 75 minutes: never closer than the last rung. Nor is what has expired.
    ['2026-02-23T06:00:00Z', '2026-03-01T22:00:00Z', '2026-03-01T13:40:00.000Z'],
    ['2026-02-22T06:00:00Z', '2026-02-28T22:00:00Z', '2026-03-01T13:40:00.000Z'],
  ])('of a certificate from %s to %s is tried again at %s once the ladder is climbed', (notBefore, notAfter, at) => {
    expect(
      judge(report('UnexpectedError'), { attempt: 4, failures: 4, current: { notBefore, notAfter } }),
    ).toMatchObject({
      retryIn: null,
      notBefore: at,
    });
  });
});

describe('a CA that says when', () => {
  test.each([
    // The rung is the least: a CA that says "in a second" is not asked every second.
    ['0', 0, 1, 60, '2026-03-01T12:01:00.000Z'],
    ['one second', 1, 2, 600, '2026-03-01T12:10:00.000Z'],
    ['a quarter of an hour', 900, 1, 901, '2026-03-01T12:15:01.000Z'],
    ['close to two hours', 7199, 3, 7200, '2026-03-01T14:00:00.000Z'],
    ['two hours', 7200, 1, null, '2026-03-01T14:00:01.000Z'],
    ['a day and a half', 129_600, 1, null, '2026-03-03T00:00:01.000Z'],
    ['three years', 94_608_000, 1, null, '2026-03-08T12:00:01.000Z'],
    // The ladder is climbed: the next fleet run after that time, and never closer than the last rung.
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

  test('is also one that is unavailable, or our own count', () => {
    const problem = { type: 'about:blank', retryAfter: 1000 };
    for (const error of ['CaUnavailableError', 'IssueCapError', 'ValidationLimitError']) {
      expect(judge(report(error, problem)), error).toMatchObject({ counted: true, retryIn: 1001 });
    }
  });

  test('and says nothing is tried by the ladder', () => {
    for (const error of ['RateLimitedError', 'CaUnavailableError', 'IssueCapError']) {
      expect(judge(report(error)), error).toMatchObject({ counted: true, retryIn: 60 });
    }
  });

  test('binds no other issuer, whose turn comes next', () => {
    expect(judge(told(129_600), { failures: 3, issuerChanges: true }).retryIn).toBe(6000);
    const cap = report('IssueCapError', { type: 'about:blank', retryAfter: 50_000 });
    expect(judge(cap, { issuerChanges: true })).toMatchObject({ retryIn: null, notBefore: '2026-03-02T01:53:21.000Z' });
  });
});

describe('what only a person can mend', () => {
  const aPersons = [
    ['CaaError', /CAA records of example\.com.*add a record.*take away/],
    ['RejectedIdentifierError', /Take example\.com out/],
    ['UnsupportedIdentifierError', /Take example\.com out/],
    ['BadCsrError', /key type/],
    ['UserActionRequiredError', /https:\/\/ca\.test\/terms, as a rule agree/],
    ['InvalidProfileError', /profile that the CA offers/],
    ['ExternalAccountRequiredError', /external account binding/],
    ['ExternalAccountBindingError', /binding/],
    ['TermsNotAgreedError', /termsOfServiceAgreed/],
    ['AccountPausedError', /end the pause at https:\/\/ca\.test\/terms/],
    ['AccountDoesNotExistError', /account secret/],
    ['ZoneNotFoundError', /delegate/],
    // Their messages may want a record set or taken away: what to do must not say the one where the message says the other.
    ['ZoneNotDelegatedError', /^Put the NS records right as the message says/],
    ['ChallengeAliasError', /^Put the CNAME right as the message says/],
    ['RecordSetRefusedError', /TXT record/],
    ['SecretDeletedError', /Restore/],
    ['UnreadableSecretError', /secret/],
    ['ImportRefusedError', /ACM/],
    ['ImportLimitError', /quota/],
  ] as const;

  test.each(aPersons)('%s says what to do and is tried once a day', (error, action) => {
    const problem = { type: 'about:blank', identifier: 'example.com', detail: 'Please visit https://ca.test/terms.' };
    expect(judge(report(error, problem))).toEqual({
      counted: true,
      quiet: false,
      issuersFault: false,
      action: expect.stringMatching(action),
      dropOrder: false,
      retryIn: null,
      notBefore: '2026-03-02T12:00:00.000Z',
    });
  });

  test('is found in an order that went invalid, and in a refused proof', () => {
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

  test('a denied call is one only when it is denied again: permissions take a while to reach everywhere', () => {
    expect(judge(report('AccessDeniedError'))).toMatchObject({ retryIn: 60, action: null });
    expect(judge(report('AccessDeniedError'), { attempt: 2, failures: 2 })).toMatchObject({
      retryIn: null,
      action: expect.stringContaining('Allow the call'),
      notBefore: '2026-03-02T12:00:00.000Z',
    });
  });
});

describe('what is no failure of the certificate', () => {
  test.each([
    ['ThrottledError', 1, 60],
    ['ThrottledError', 2, 600],
    ['ThrottledError', 3, 6000],
    ['ThrottledError', 4, null],
    ['OrderSharedError', 1, 1],
    ['OrderSharedError', 3, 1],
    ['OrderSharedError', 4, null],
    ['LeaseLostError', 1, null],
  ])('%s at attempt %i is not counted, whatever failed before, and tried again in %j s', (error, attempt, retryIn) => {
    expect(judge(report(error), { attempt, failures: 9 })).toMatchObject({ counted: false, action: null, retryIn });
  });
});

test('a reader who is refused is a person’s to mend, and no failure of the certificate: nothing waits for it', () => {
  for (const attempt of [1, 2, 4]) {
    expect(judge(report('SecretAccessError'), { attempt, failures: 9 })).toEqual({
      counted: false,
      quiet: false,
      issuersFault: false,
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
    // Downloaded once more before another is ordered.
    ['CertificateMismatchError', 1, false],
    ['CertificateMismatchError', 2, true],
    ['OrderTimeoutError', 4, false],
    ['CaUnavailableError', 4, false],
  ])('after %s number %i is of no use any more: %j', (error, failures, dropOrder) => {
    expect(judge(report(error), { failures }).dropOrder).toBe(dropOrder);
  });
});

test('an order that never moves is given up when its certificate has no time left', () => {
  const sixDays = { notBefore: '2026-02-24T00:00:00Z' };
  const dropOrder = (notAfter: string) =>
    judge(report('OrderTimeoutError'), { current: { ...sixDays, notAfter } }).dropOrder;
  expect(dropOrder('2026-03-02T16:00:00Z')).toBe(false);
  expect(dropOrder('2026-03-02T00:00:00Z')).toBe(true);
});

describe('another issuer may do better', () => {
  const unauthorized = { type: urn('unauthorized'), identifier: 'example.com' };
  test.each([
    ['CaUnavailableError', null, true],
    ['RateLimitedError', null, true],
    ['OrderTimeoutError', null, true],
    ['OrderInvalidError', { type: urn('serverInternal') }, true],
    ['CertificateMismatchError', null, true],
    ['ChallengeFailedError', unauthorized, true],
    // Its zone is broken for every issuer.
    ['ChallengeFailedError', { type: urn('dns'), identifier: 'example.com' }, false],
    ['PropagationTimeoutError', null, false],
    ['StepTimedOutError', null, false],
    ['CaaError', null, false],
    ['IssueCapError', null, false],
  ])('after %s with %j: %j', (error, problem, issuersFault) => {
    expect(judge(report(error, problem)).issuersFault).toBe(issuersFault);
  });
});

test('the words of a problem change nothing', () => {
  const words = 'rate limited, CAA forbids, account paused, retry after 2026-03-09 00:00:00 UTC';
  const problem = { type: urn('serverInternal'), status: 500 };
  expect(judge(report('CaUnavailableError', { ...problem, detail: words }))).toEqual(
    judge(report('CaUnavailableError', problem)),
  );
});

describe('a failure that a deployment waits for', () => {
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

  test('by a CA that says when ends it too', () => {
    expect(judge(told(900), { deployedFor })).toMatchObject({ retryIn: null, notBefore: '2026-03-01T12:15:01.000Z' });
  });

  test.each(['AccessDeniedError', 'RoleNotAssumedError'])('by %s is tried every 20 s for three minutes', (error) => {
    const tries = Array.from({ length: 10 }, (_, index) =>
      judge(report(error), { attempt: index + 1, failures: index + 1, deployedFor: index * 20 }),
    );
    expect(tries.map(({ retryIn }) => retryIn)).toEqual([...Array(9).fill(20), null]);
    expect(tries.map(({ quiet }) => quiet)).toEqual([...Array(9).fill(true), false]);
    expect(tries[0]).toMatchObject({ counted: false, action: null, notBefore: '2026-03-01T12:00:20.000Z' });
    expect(tries[9]?.action).toBe(judge(report(error), { attempt: 10, failures: 10 }).action);
  });

  test('by a denied access is tried so whatever had failed before', () => {
    expect(judge(report('AccessDeniedError'), { attempt: 1, failures: 7, deployedFor })).toMatchObject({ retryIn: 20 });
  });

  test('by an access that was denied in place for three minutes is not tried for three more', () => {
    const denied = judge(report('AccessDeniedError'), { attempt: 1, failures: 1, deployedFor: 185 });
    expect(denied).toMatchObject({ counted: true, retryIn: null });
  });
});

test('every class of errors.ts is met in one way', () => {
  const names = Object.keys(errors).filter((name) => name !== 'PerennialError');
  expect(Object.keys(treatments).sort()).toEqual(names.sort());
});

test('a class that nobody knows is tried by the ladder', () => {
  expect(judge(report('NewerError'))).toMatchObject({ counted: true, retryIn: 60 });
});

describe('the identifiers that a CA counts as failed', () => {
  test('are those of each refused proof, once', () => {
    const problem = { type: urn('dns'), identifier: 'a.example.com' };
    const subproblems = [problem, { type: urn('caa'), identifier: '*.example.com' }, { type: urn('dns') }];
    expect(failedIdentifiers(report('ChallengeFailedError', { ...problem, subproblems }))).toEqual([
      'a.example.com',
      '*.example.com',
    ]);
    expect(failedIdentifiers(report('ChallengeFailedError', problem))).toEqual(['a.example.com']);
  });

  test('are none where no proof was looked at', () => {
    const problem = { type: urn('rejectedIdentifier'), identifier: 'a.example.com' };
    expect(failedIdentifiers(report('RejectedIdentifierError', problem))).toEqual([]);
    expect(failedIdentifiers(report('ChallengeFailedError'))).toEqual([]);
  });
});

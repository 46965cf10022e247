import { Duration } from 'aws-cdk-lib';
import { JitterType, type RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import type * as errors from '../../lambdas/domain/contract/errors.ts';

/** A class of `lambdas/domain/contract/errors.ts`: Step Functions matches by `error.name`, so a misspelt one would never match. */
export type ErrorName = keyof typeof errors;

/** Error names, held against the classes by the compiler. */
export const named = (...names: readonly ErrorName[]): string[] => [...names];

/**
 * Lambda is busy or stumbles. A hundred renewals that begin together meet TooManyRequestsException where an account may run ten
 * functions at once, so this waits long in small pieces: 1 + 2 + 4 + 17 x 8 = 143 s at most, half of it on average with full
 * jitter. What ran without our hearing of it runs again: every step may run twice.
 */
const lambdaBusy: RetryProps = {
  errors: [
    'Lambda.TooManyRequestsException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
  ],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxDelay: Duration.seconds(8),
  maxAttempts: 20,
  jitterStrategy: JitterType.FULL,
};

/**
 * Another AWS service asks to slow down, after the SDK has tried for itself. Route 53 gives an account 10 calls a second, so a
 * hundred renewals of five calls each are through in 50 s; 2 + 4 + 8 + 16 + 4 x 30 = 150 s leaves room for the account's others.
 */
const throttled: RetryProps = {
  errors: named('ThrottledError'),
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxDelay: Duration.seconds(30),
  maxAttempts: 8,
  jitterStrategy: JitterType.FULL,
};

/**
 * Under the import, in place of `throttled`: ACM takes one import a second in an account and region, so a fleet run's thousand are in
 * after 17 minutes at the earliest. 10 + 20 + 40 + 80 + 160 + 7 x 300 = 2,410 s at most, 20 minutes on average; seldom, since every
 * call that is refused holds a function.
 * https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
 */
export const importing: RetryProps = {
  errors: named('ThrottledError'),
  interval: Duration.seconds(10),
  backoffRate: 2,
  maxDelay: Duration.minutes(5),
  maxAttempts: 12,
  jitterStrategy: JitterType.FULL,
};

/** Under every step. */
export const always: readonly RetryProps[] = [lambdaBusy, throttled];

/**
 * Under the first step of a renewal and the one that records its failure: in a first deployment both may come before the check
 * function's role has settled, and without the second nothing is recorded. 9 x 20 s = 3 min; IAM takes some seconds as a rule.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 */
export const settling: RetryProps = {
  errors: named('AccessDeniedError'),
  interval: Duration.seconds(20),
  backoffRate: 1,
  maxAttempts: 9,
};

/**
 * Under the steps that talk to the CA: a restart or a cut connection is over in seconds, 5 + 10 + 20 = 35 s; anything longer is
 * an outage, left to the retry ladder. The step itself reads what became of a POST whose reply was lost, and a CA hands out a pending
 * order of the same identifiers again, so a repetition spends nothing. `RateLimitedError` is never retried in place: each try
 * would count.
 */
export const caUnavailable: RetryProps = {
  errors: named('CaUnavailableError'),
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxAttempts: 3,
  jitterStrategy: JitterType.FULL,
};

/**
 * Under the two steps that write TXT records: others changed the same record set for all of the five seconds that a step tries.
 * 2 + 4 + 8 + 16 = 30 s at most; with full jitter two writers drift apart.
 */
export const contended: RetryProps = {
  errors: named('RecordSetContentionError'),
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts: 4,
  jitterStrategy: JitterType.FULL,
};

/** Under an event that tells others: 1 + 2 + 4 = 7 s, then it is passed over, since the certificate matters more. */
export const announcement: RetryProps = {
  errors: ['States.TaskFailed', 'States.Timeout'],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 3,
};

/** Step Functions' name for an execution name that was used in the last 90 days. */
export const taken = 'StepFunctions.ExecutionAlreadyExistsException';

/**
 * Under StartExecution, whose bucket refills with 25 to 300 a second: 1 + 2 + 4 + 8 + 2 x 16 = 47 s at most, in which even the
 * smallest has room for a whole run of 1,000. A taken name stays taken, so it comes first and is not asked again.
 */
export const startExecution: readonly RetryProps[] = [
  { errors: [taken], maxAttempts: 0 },
  {
    errors: ['States.TaskFailed', 'States.Timeout'],
    interval: Duration.seconds(1),
    backoffRate: 2,
    maxDelay: Duration.seconds(16),
    maxAttempts: 6,
    jitterStrategy: JitterType.FULL,
  },
];

/** Before an account's key is changed: a renewal takes a minute, one whose CA is slow ten; 20 x 30 s = 10 min. */
export const renewalsInProgress: RetryProps = {
  errors: named('RenewalsInProgressError'),
  interval: Duration.seconds(30),
  backoffRate: 1,
  maxAttempts: 20,
};

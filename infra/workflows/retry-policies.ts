import { Duration } from 'aws-cdk-lib';
import { JitterType, type RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import type * as errors from '../../lambdas/domain/contract/errors.ts';

/** Name of a class of `lambdas/domain/contract/errors.ts`. Step Functions matches by `error.name`, so a misspelled name never matches. */
export type ErrorName = keyof typeof errors;

/** Returns names of errors that the compiler has checked against the classes. */
export const errorNames = (...names: readonly ErrorName[]): string[] => [...names];

/**
 * Throttling is no fault of a certificate, so it is waited out in place and is neither counted nor announced. The waits of each of the two following
 * policies take more than two hours in 99.8 % of all cases, although the jitter is full. A function that ran although its reply was lost runs again,
 * which is safe for every step.
 *
 * This one retries while Lambda is busy or has an internal error. A hundred renewals that begin together get TooManyRequestsException in an AWS
 * account that may run ten functions at once, so the waits are short. They are at most 1 + 2 + 4 + 8 + 16 + 768 × 20 s = 4.3 h, and half of that on
 * average.
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
  maxDelay: Duration.seconds(20),
  maxAttempts: 773,
  jitterStrategy: JitterType.FULL,
};

/**
 * Retries while another AWS service throttles calls, after the SDK has retried. The waits become long, because every rejected call uses a function
 * and four calls of the quota. They are at most 1 + 2 + ... + 256 + 59 × 300 s = 5 h, and half of that on average.
 */
const throttled: RetryProps = {
  errors: errorNames('ThrottledError'),
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxDelay: Duration.minutes(5),
  maxAttempts: 68,
  jitterStrategy: JitterType.FULL,
};

/** Replaces both for a step without which the workflow continues. The waits take 2 + 4 + 8 + 16 + 32 = 62 s at most. */
export const briefly: RetryProps = {
  errors: [...(lambdaBusy.errors ?? []), ...(throttled.errors ?? [])],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts: 5,
  jitterStrategy: JitterType.FULL,
};

/** The retry policies of every step. */
export const commonRetries: readonly RetryProps[] = [lambdaBusy, throttled];

/**
 * Retries the first steps of the fleet and of a renewal, and *Record failure*, when access is denied. In a first deployment they may run before IAM
 * has propagated the roles of their functions. Without them no renewal is started before the next fleet run, and nothing is recorded. The waits take
 * 9 × 20 s = 3 min. IAM usually takes some seconds.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 */
export const iamPropagation: RetryProps = {
  errors: errorNames('AccessDeniedError'),
  interval: Duration.seconds(20),
  backoffRate: 1,
  maxAttempts: 9,
};

/**
 * Retries the steps that call the CA. A restart of the CA or a cut connection takes seconds, and the waits take 5 + 10 + 20 = 35 s. A longer
 * outage is left to the retry schedule. If the reply to a POST was lost, the step reads the state of the object. A CA returns a pending order
 * for the same identifiers again, so a retry uses up no rate limit. `RateLimitedError` and `CaBusyError` are not retried here.
 * The first would count each attempt, and *Record failure* reads the time to wait of both.
 *
 * A CSR is sent again if a server of the CA does not know yet that the order is ready. Let's Encrypt's servers differ for a moment (ACMECert#66).
 */
export const caUnavailable: RetryProps = {
  errors: errorNames('CaUnavailableError', 'OrderNotReadyError'),
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxAttempts: 3,
  jitterStrategy: JitterType.FULL,
};

/**
 * Retries the two steps that write TXT records. They fail if other writers kept changing the same record set during the five seconds of
 * attempts in the step. The waits take 2 + 4 + 8 + 16 = 30 s at most. Full jitter keeps two writers from retrying at the same moments.
 */
export const recordSetContention: RetryProps = {
  errors: errorNames('RecordSetContentionError'),
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts: 4,
  jitterStrategy: JitterType.FULL,
};

/**
 * Retries an event that could not be published. The waits take 1 + 2 + 4 = 7 s. Then the workflow continues without the event, because the
 * certificate is more important.
 */
export const publishFailed: RetryProps = {
  errors: ['States.TaskFailed', 'States.Timeout'],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 3,
};

/** Error of Step Functions for the name of an execution that was used in the last 90 days. */
export const executionExists = 'StepFunctions.ExecutionAlreadyExistsException';

/**
 * The retry policies of StartExecution. Its bucket refills with 25 to 300 calls a second. The waits take 1 + 2 + 4 + 8 + 2 × 16 = 47 s at most,
 * in which the smallest bucket accepts 1,000 starts. A used name stays in use, so the first policy does not retry it.
 */
export const startExecutionRetries: readonly RetryProps[] = [
  { errors: [executionExists], maxAttempts: 0 },
  {
    errors: ['States.TaskFailed', 'States.Timeout'],
    interval: Duration.seconds(1),
    backoffRate: 2,
    maxDelay: Duration.seconds(16),
    maxAttempts: 6,
    jitterStrategy: JitterType.FULL,
  },
];

/** Waits for renewals in progress, for 20 × 30 s = 10 min. A renewal takes a minute, or ten minutes with a slow CA. */
export const renewalsInProgress: RetryProps = {
  errors: errorNames('RenewalsInProgressError'),
  interval: Duration.seconds(30),
  backoffRate: 1,
  maxAttempts: 20,
};

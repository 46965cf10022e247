import type { Duration } from 'aws-cdk-lib';
import { Choice, Condition, Fail, Pass, type TaskStateBase, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { failureFromError } from '../error-output.ts';
import { errorNames, iamPropagation } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/**
 * Maximum attempts of one execution. *Record failure* ends the retry schedule after four attempts, or after nine retries of denied calls during
 * a deployment. This limit applies without it. The next fleet run continues.
 */
const maximumAttempts = 10;

/**
 * Records and publishes a failure, and retries the renewal if *Record failure* returns a time for that. Otherwise the execution fails with the
 * error that *Record failure* returns. If *Record failure* itself fails, the original error is published, and the execution fails with it. An execution
 * whose functions were replaced publishes nothing.
 *
 * @param attemptVariables variables that every attempt begins with
 */
export function failurePhase(
  scope: Construct,
  { check, interval }: Record<'check', WorkflowFunction> & { readonly interval: Duration },
  attemptVariables: Readonly<Record<string, unknown>>,
) {
  const recordFailure = recordFailureState(scope, check);
  const announceFailure = announceFailureState(scope, 'Announce failure');
  const announceUnrecorded = announceFailureState(scope, 'Announce unrecorded failure');
  const waitForNextAttempt = Wait.jsonata(scope, 'Wait for next attempt', {
    time: WaitTime.seconds('{% $failure.retryIn %}'),
    assign: { ...attemptVariables, attempt: '{% $attempt + 1 %}' },
  });
  const readError = Pass.jsonata(scope, 'Read error', { assign: { failure: failureFromError } });
  const failed = Fail.jsonata(scope, 'Failed', { error: '{% $failure.error %}', cause: '{% $failure.cause %}' });

  const retry = Choice.jsonata(scope, 'Retry?')
    .when(
      Condition.jsonata(
        `{% $type($failure.retryIn) = 'number' ? $failure.retryIn > 0 and $attempt < ${maximumAttempts} : false %}`,
      ),
      waitForNextAttempt,
    )
    .otherwise(failed);
  // During a deployment IAM may deny calls of a new role for some time. No event is published for that, nor for throttled calls. An event needs the
  // name of a certificate. Without it the metrics still count the failed execution.
  const notify = Choice.jsonata(scope, 'Notify?')
    .when(
      Condition.jsonata(
        `{% $not(${isNamed}) or $failure.quiet = true and ($type($failure.retryIn) = 'null' or $attempt < ${maximumAttempts}) %}`,
      ),
      retry,
    )
    .otherwise(announceFailure);
  const notifyUnrecorded = Choice.jsonata(scope, 'Notify of unrecorded failure?')
    .when(Condition.jsonata(`{% ${isNamed} and $not(${isReplaced}) %}`), announceUnrecorded)
    .otherwise(failed);
  recordFailure.addCatch(notifyUnrecorded, { assign: { failure: unrecordedFailure(interval) } }).next(notify);
  announceUnrecorded.addCatch(failed).next(failed);
  announceFailure.addCatch(retry).next(retry);
  readError.next(failed);
  return { start: recordFailure, readError, waitForNextAttempt };
}

/** Expression that is false for a restart that could not read which certificate the interrupted execution names. */
const isNamed = "$certificate != ''";

/** Expression that is true if a deployment has replaced the functions. *Record failure* fails too then, and the restart rule starts a new execution. */
const isReplaced = `$failure.error = '${errorNames('FunctionsReplacedError')[0]}'`;

/** Expression for a failure that could not be recorded. The lease of this execution is free when it has ended, so the next fleet run tries again. */
const unrecordedFailure = (interval: Duration): string =>
  `{% $merge([${failureFromError.slice(2, -2)}, {
  'problemType': null, 'identifier': null, 'action': null, 'quiet': false, 'retryIn': null,
  'nextAttempt': $fromMillis($toMillis($now()) + ${interval.toMilliseconds()})
}]) %}`.replaceAll(/\n\s*/g, ' ');

function recordFailureState(scope: Construct, check: WorkflowFunction): TaskStateBase {
  return check.step(scope, 'Record failure', {
    payload: {
      spec: '{% $spec %}',
      errorOutput: '{% $errorOutput %}',
      announced: '{% $announced %}',
      removed: '{% $removed %}',
      deploy: '{% $deploy %}',
      startedAt: '{% $startedAt %}',
    },
    retry: [iamPropagation],
    assign: { failure: '{% $states.result.Payload %}' },
  });
}

function announceFailureState(scope: Construct, name: string): TaskStateBase {
  return announce(scope, name, detailTypes.renewalFailed, {
    certificate: '{% $certificate %}',
    execution: '{% $states.context.Execution.Id %}',
    attempt: '{% $attempt %}',
    reason: '{% $reason %}',
    error: '{% $failure.error %}',
    cause: '{% $failure.cause %}',
    problemType: '{% $failure.problemType %}',
    identifier: '{% $failure.identifier %}',
    action: '{% $failure.action %}',
    nextAttempt: '{% $failure.nextAttempt %}',
  });
}

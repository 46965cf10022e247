import { Choice, Condition, Fail, Pass, type TaskStateBase, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { failureFromError } from '../error-output.ts';
import { iamPropagation } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/**
 * Maximum attempts of one execution. *Record failure* ends the retry schedule after four attempts, or after nine retries of denied calls during
 * a deployment. This limit applies without it. The next fleet run continues.
 */
const maximumAttempts = 10;

/**
 * Records and publishes a failure, and retries the renewal if *Record failure* returns a time for that. Otherwise the execution fails with the
 * error that *Record failure* returns. If *Record failure* itself fails, the execution fails with the original error.
 *
 * @param attemptVariables variables that every attempt begins with
 */
export function failurePhase(
  scope: Construct,
  { check }: Record<'check', WorkflowFunction>,
  attemptVariables: Readonly<Record<string, unknown>>,
) {
  const recordFailure = recordFailureState(scope, check);
  const announceFailure = announceFailureState(scope);
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
  // During a deployment IAM may deny calls of a new role for some time. No event is published for that, nor for throttled calls.
  const notify = Choice.jsonata(scope, 'Notify?')
    .when(
      Condition.jsonata(
        `{% $failure.quiet = true and ($type($failure.retryIn) = 'null' or $attempt < ${maximumAttempts}) %}`,
      ),
      retry,
    )
    .otherwise(announceFailure);
  recordFailure.addCatch(readError).next(notify);
  announceFailure.addCatch(retry).next(retry);
  readError.next(failed);
  return { start: recordFailure, readError, waitForNextAttempt };
}

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

function announceFailureState(scope: Construct): TaskStateBase {
  return announce(scope, 'Announce failure', detailTypes.renewalFailed, {
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

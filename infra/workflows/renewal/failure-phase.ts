import { Choice, Condition, Fail, Pass, type TaskStateBase, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { failureAsIs } from '../error-output.ts';
import { settling } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/**
 * The ladder's own bound is in *Record failure*: four tries, and those that do not count as failures. This one holds whatever that says,
 * and leaves the rest to the fleet.
 */
const mostAttempts = 10;

/**
 * Recorded and announced, then tried again when *Record failure* says so. Otherwise it ends in Fail: with what that says, or with the error
 * as it is where it cannot be asked.
 *
 * @param fresh variables that every try begins with
 */
export function failurePhase(
  scope: Construct,
  { check }: Record<'check', WorkflowFunction>,
  fresh: Readonly<Record<string, unknown>>,
) {
  const recordFailure = record(scope, check);
  const announceFailure = announced(scope);
  const waitForNextAttempt = Wait.jsonata(scope, 'Wait for next attempt', {
    time: WaitTime.seconds('{% $failure.retryIn %}'),
    assign: { ...fresh, attempt: '{% $attempt + 1 %}' },
  });
  const readError = Pass.jsonata(scope, 'Read error', { assign: { failure: failureAsIs } });
  const failed = Fail.jsonata(scope, 'Failed', { error: '{% $failure.error %}', cause: '{% $failure.cause %}' });

  const retry = Choice.jsonata(scope, 'Retry?')
    .when(
      Condition.jsonata(
        `{% $type($failure.retryIn) = 'number' ? $failure.retryIn > 0 and $attempt < ${mostAttempts} : false %}`,
      ),
      waitForNextAttempt,
    )
    .otherwise(failed);
  // Under a deployment each new permission may be refused for a while: nobody is called for that.
  const notify = Choice.jsonata(scope, 'Notify?')
    .when(Condition.jsonata(`{% $failure.quiet = true and $attempt < ${mostAttempts} %}`), retry)
    .otherwise(announceFailure);
  recordFailure.addCatch(readError).next(notify);
  announceFailure.addCatch(retry).next(retry);
  readError.next(failed);
  return { start: recordFailure, readError, waitForNextAttempt };
}

function record(scope: Construct, check: WorkflowFunction): TaskStateBase {
  return check.step(scope, 'Record failure', {
    payload: {
      spec: '{% $spec %}',
      errorOutput: '{% $errorOutput %}',
      removed: '{% $removed %}',
      deploy: '{% $deploy %}',
      startedAt: '{% $startedAt %}',
    },
    retry: [settling],
    assign: { failure: '{% $states.result.Payload %}' },
  });
}

function announced(scope: Construct): TaskStateBase {
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

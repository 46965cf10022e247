import { Choice, Condition } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { keepError } from '../error-output.ts';
import { caught, exits } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Detail of the event "Certificate Renewed". */
export const renewedDetail = {
  certificate: '{% $certificate %}',
  execution: '{% $states.context.Execution.Id %}',
  reason: '{% $reason %}',
  current: '{% $current %}',
  deliveries: '{% $deliveries %}',
};

/** Variable after the event was published for the current version. It is recorded, so that a later execution does not publish the event again. */
export const currentAnnounced = { announced: '{% $current.versionId %}' };

/**
 * Publishes the event, then records the success with the announced version, and releases the leases. If the execution is interrupted in between, or
 * the event cannot be published, a later execution publishes it. The endpoints are checked last, with no lease held, because servers are reloaded
 * when the event arrives.
 */
export function recordPhase(scope: Construct, { check }: Record<'check', WorkflowFunction>) {
  const announceRenewed = announce(scope, 'Announce', detailTypes.renewed, renewedDetail, currentAnnounced);
  const recordSuccess = check.step(scope, 'Record success', {
    payload: { announced: '{% $announced %}', removed: '{% $removed %}' },
  });
  const anyEndpoints = Choice.jsonata(scope, 'Any endpoints?');

  announceRenewed.addCatch(recordSuccess).next(recordSuccess);
  recordSuccess.next(anyEndpoints);
  return {
    start: announceRenewed,
    /** Records the success without the event. */
    recordSuccess,
    ...exits({
      // Without `current` only access to the secret has changed. A deployment waits for the end of the execution, and the server may be
      // deployed after it. The next fleet run checks.
      checkEndpoints: (next) =>
        anyEndpoints.when(
          Condition.jsonata("{% $type($current) = 'object' and $count($spec.endpoints) > 0 and $not($deploy) %}"),
          next,
        ),
      done: (next) => anyEndpoints.otherwise(next),
    }),
    failed: caught([recordSuccess], keepError),
  };
}

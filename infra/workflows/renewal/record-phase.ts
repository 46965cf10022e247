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

/**
 * Publishes the event, then records the success, which releases the leases. An execution that is interrupted in between publishes the
 * event again. The endpoints are checked last, with no lease held, because servers are reloaded when the event arrives.
 */
export function recordPhase(scope: Construct, { check }: Record<'check', WorkflowFunction>) {
  const announceRenewed = announce(scope, 'Announce', detailTypes.renewed, renewedDetail);
  const recordSuccess = check.step(scope, 'Record success', { payload: { removed: '{% $removed %}' } });
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

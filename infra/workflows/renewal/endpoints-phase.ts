import { Choice, Condition } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { caught, type Exit, merged } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { wait } from './wait-state.ts';

/**
 * Checks whether the endpoints serve the certificate. The renewal has already succeeded, so neither the result nor an error fails it. After an
 * error the next fleet run checks again.
 */
export function endpointsPhase(scope: Construct, { check }: Record<'check', WorkflowFunction>) {
  const checkEndpoints = check.step(scope, 'Check endpoints', {
    payload: { spec: '{% $spec %}', current: '{% $current %}', tries: '{% $endpointTries %}' },
    assign: { endpointTries: '{% $endpointTries + 1 %}', served: '{% $states.result.Payload.served %}' },
  });
  const waitForEndpoints = wait(scope, 'Wait for endpoints').next(checkEndpoints);
  const announceNotServed = announce(scope, 'Announce endpoints not served', detailTypes.notServed, {
    certificate: '{% $certificate %}',
    execution: '{% $states.context.Execution.Id %}',
    current: '{% $current %}',
    endpoints: '{% $states.input.endpoints %}',
    action:
      'Each endpoint has to load the current certificate. Reload each server that does not serve it, or check the progress of its deployment. Check also that it can be reached. Each fleet run checks all endpoints again, until they serve the certificate.',
  });
  const allServed = Choice.jsonata(scope, 'All served?')
    .when(Condition.jsonata('{% $states.input.wait > 0 %}'), waitForEndpoints)
    .when(Condition.jsonata('{% $states.input.reportDue = true %}'), announceNotServed);
  checkEndpoints.next(allServed);
  const served: Exit = { next: (state) => allServed.otherwise(state) };
  return {
    start: checkEndpoints,
    done: merged(served, announceNotServed, caught([checkEndpoints, announceNotServed])),
  };
}

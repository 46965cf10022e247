import { Choice, Condition } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { caught, type Exit, merged } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { wait } from './wait-state.ts';

/** The renewal has succeeded whatever is seen, and also when nobody can look: then the next fleet run does. */
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
      'Let each endpoint that is not served load the current certificate (reload it, or see how far its deployment is), and see that it can be reached. All are looked at again tomorrow.',
  });
  const allServed = Choice.jsonata(scope, 'All served?')
    .when(Condition.jsonata('{% $states.input.wait > 0 %}'), waitForEndpoints)
    // `null`: another version is current by now, and its own execution looks.
    .when(Condition.jsonata('{% $served = false %}'), announceNotServed);
  checkEndpoints.next(allServed);
  const served: Exit = { next: (state) => allServed.otherwise(state) };
  return {
    start: checkEndpoints,
    done: merged(served, announceNotServed, caught([checkEndpoints, announceNotServed])),
  };
}

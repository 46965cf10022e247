import { Choice, Condition, type IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { wait } from './wait-state.ts';

/** The renewal has succeeded whatever is seen, and also when nobody can look: then the next fleet run does. */
export function endpoints(
  scope: Construct,
  functions: Record<'check', WorkflowFunction>,
  { done }: Record<'done', IChainable>,
): IChainable {
  const checkEndpoints = functions.check
    .step(scope, 'Check endpoints', {
      payload: { spec: '{% $spec %}', current: '{% $current %}', tries: '{% $endpointTries %}' },
      assign: { endpointTries: '{% $endpointTries + 1 %}', served: '{% $states.result.Payload.served %}' },
    })
    .addCatch(done);
  const waitForServers = wait(scope, 'Wait for the servers').next(checkEndpoints);
  const notServed = announce(scope, 'Announce not served', detailTypes.notServed, {
    certificate: '{% $certificate %}',
    execution: '{% $states.context.Execution.Id %}',
    current: '{% $current %}',
    endpoints: '{% $states.input.endpoints %}',
    action:
      'Let each endpoint that is not served load the current certificate (reload it, or see how far its deployment is), and see that it can be reached. All are looked at again tomorrow.',
  })
    .addCatch(done)
    .next(done);
  return checkEndpoints.next(
    Choice.jsonata(scope, 'All served?')
      .when(Condition.jsonata('{% $states.input.wait > 0 %}'), waitForServers)
      // `null`: another version is current by now, and its own execution looks.
      .when(Condition.jsonata('{% $served = false %}'), notServed)
      .otherwise(done),
  );
}

import { Condition, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** As many seconds as the step before it says. */
export function wait(scope: Construct, name: string): Wait {
  return Wait.jsonata(scope, name, { time: WaitTime.seconds('{% $states.input.wait %}') });
}

/** *Poll order* has seen the status that it was to wait for. */
export const reached = Condition.jsonata('{% $states.input.reached %}');

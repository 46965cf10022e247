import { Condition, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Returns a state that waits for as many seconds as the previous step returned in `wait`. */
export function wait(scope: Construct, name: string): Wait {
  return Wait.jsonata(scope, name, { time: WaitTime.seconds('{% $states.input.wait %}') });
}

/** Returns an expression for the whole seconds since the time in a variable. */
export function secondsSince(variable: string): string {
  return `{% $floor(($toMillis($now()) - $toMillis($${variable})) / 1000) %}`;
}

/** True if *Poll order* has seen the status for which it polls. */
export const reached = Condition.jsonata('{% $states.input.reached %}');

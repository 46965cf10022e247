import { Duration } from 'aws-cdk-lib';
import { type StateMachine, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { startExecutionRetries } from './retry-policies.ts';

export interface RenewalStart {
  /** Name of the execution. If an execution has this name already, the state fails with `executionExists`, and the caller catches that. */
  readonly name: string;
  readonly input: { readonly certificate: string; readonly force?: string };
  /** JSONata expression for the output of the state. */
  readonly outputs: string;
}

/** Returns a state that starts the renewal of one certificate and does not wait for its end. */
export function startRenewal(
  scope: Construct,
  renewal: StateMachine,
  { name, input, outputs }: RenewalStart,
): StepFunctionsStartExecution {
  const state = StepFunctionsStartExecution.jsonata(scope, 'Start renewal', {
    stateMachine: renewal,
    name,
    input: TaskInput.fromObject(input),
    outputs,
    taskTimeout: Timeout.duration(Duration.seconds(30)),
  });
  for (const policy of startExecutionRetries) state.addRetry(policy);
  return state;
}

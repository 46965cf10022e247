import { Duration } from 'aws-cdk-lib';
import { type StateMachine, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { startExecution } from './retry-policies.ts';

export interface RenewalStart {
  /** Of the execution. Where it is `taken` the start is for the caller to catch. */
  readonly name: string;
  readonly input: { readonly certificate: string; readonly force?: true };
  readonly outputs: string;
}

/** Starts the renewal of one certificate, and does not wait for it. */
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
  for (const policy of startExecution) state.addRetry(policy);
  return state;
}

import { Duration } from 'aws-cdk-lib';
import { Choice, Condition, Pass, type StateMachine, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { keepError } from '../error-output.ts';
import { exits } from '../exits.ts';
import { caUnavailable, renewalsInProgress, startExecutionRetries } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { atIssuer, isObject, run } from './account-variables.ts';

/**
 * Changes the key of an account. The execution holds the lease of the fleet meanwhile, so that no fleet run starts a renewal that signs with the old
 * key. A fleet run or a renewal in progress delays it by ten minutes at most. The lease is released on every path. If a fleet run began in the
 * meantime, it has ended as "already running", so another one is started.
 */
export function rolloverPhase(
  scope: Construct,
  {
    fleet,
    order,
    fleetWorkflow,
  }: Record<'fleet' | 'order', WorkflowFunction> & { readonly fleetWorkflow: StateMachine },
) {
  const holdLease = fleet.step(scope, 'Hold fleet lease', { payload: atIssuer, run, retry: [renewalsInProgress] });
  const rollOverKey = order.step(scope, 'Roll over key', {
    payload: atIssuer,
    run,
    retry: [caUnavailable],
    assign: { rollover: '{% $states.result.Payload %}' },
  });
  const freeLease = fleet.step(scope, 'Free fleet lease', { payload: {}, run });
  const startFleet = startFleetState(scope, fleetWorkflow);
  const changed = Choice.jsonata(scope, 'Key changed?');
  const requested = Choice.jsonata(scope, 'Selection requested?')
    .when(Condition.jsonata('{% $states.input.selectionRequested = true %}'), startFleet)
    .otherwise(changed);

  holdLease.addCatch(freeLease, keepError).next(rollOverKey);
  rollOverKey.addCatch(freeLease, keepError).next(freeLease);
  // The lease of an execution that has ended is free, and the schedule starts a fleet run later.
  freeLease.addCatch(changed).next(requested);
  startFleet.addCatch(changed).next(changed);
  const ended = exits({
    failed: (next) => changed.when(Condition.jsonata(`{% ${isObject('errorOutput')} %}`), next),
    done: (next) =>
      changed.otherwise(Pass.jsonata(scope, 'Key rolled over', { outputs: '{% $rollover %}' }).next(next)),
  });
  return { start: holdLease, ...ended };
}

function startFleetState(scope: Construct, stateMachine: StateMachine) {
  const state = StepFunctionsStartExecution.jsonata(scope, 'Start fleet', {
    stateMachine,
    outputs: '{% {} %}',
    taskTimeout: Timeout.duration(Duration.seconds(30)),
  });
  for (const policy of startExecutionRetries) state.addRetry(policy);
  return state;
}

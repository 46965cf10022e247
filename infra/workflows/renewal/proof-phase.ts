import { Choice, Condition, type IChainable, Parallel, Pass } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noted } from '../error-output.ts';
import { exits } from '../exits.ts';
import { caUnavailable, contended } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { reached, wait } from './wait-state.ts';

type Functions = Record<'order' | 'challenge', WorkflowFunction>;

/** Our try: whatever happens in it, its error is noted and what was written is taken away again. */
export function proofPhase(scope: Construct, functions: Functions) {
  const proveControl = Parallel.jsonata(scope, 'Prove control').branch(presentAndRespond(scope, functions));
  const cleanUp = functions.challenge.step(scope, 'Clean up challenges', {
    // And what an earlier run left of a saved order.
    payload: { records: '{% [$records, $leftovers] %}' },
    retry: [contended],
    assign: { removed: '{% $states.result.Payload.removed %}' },
  });
  const proofFailed = Choice.jsonata(scope, 'Proof failed?');

  proveControl.addCatch(cleanUp, noted).next(cleanUp);
  // The certificate matters more: what is left stands in the ledger, and the next run takes it away.
  cleanUp.addCatch(proofFailed).next(proofFailed);
  return {
    start: proveControl,
    cleanUp,
    ...exits({
      failed: (next) => proofFailed.when(Condition.jsonata("{% $type($errorOutput) = 'object' %}"), next),
      proven: (next) => proofFailed.otherwise(next),
    }),
  };
}

/** A scope of its own: `changes` and the two counters exist in here only. */
function presentAndRespond(scope: Construct, { order, challenge }: Functions): IChainable {
  const presentChallenges = challenge.step(scope, 'Present challenges', {
    payload: { records: '{% $records %}' },
    retry: [contended],
    assign: { changes: '{% $states.result.Payload.changes %}', propagationTries: 0, readyTries: 0 },
  });
  const checkPropagation = challenge.step(scope, 'Check propagation', {
    payload: { records: '{% $records %}', changes: '{% $changes %}', tries: '{% $propagationTries %}' },
    assign: { propagationTries: '{% $propagationTries + 1 %}' },
  });
  const waitForPropagation = wait(scope, 'Wait for propagation');
  const respond = order.step(scope, 'Respond to challenges', {
    payload: { spec: '{% $spec %}', challenges: '{% $challenges %}' },
    retry: [caUnavailable],
  });
  const waitForValidation = wait(scope, 'Wait for validation');
  const pollOrder = order.step(scope, 'Poll order until ready', {
    step: 'pollOrder',
    payload: { spec: '{% $spec %}', order: '{% $order %}', until: 'ready', tries: '{% $readyTries %}' },
    retry: [caUnavailable],
    assign: { readyTries: '{% $readyTries + 1 %}' },
  });

  presentChallenges
    .next(checkPropagation)
    .next(
      Choice.jsonata(scope, 'Propagated?')
        .when(Condition.jsonata('{% $states.input.propagated %}'), respond)
        .otherwise(waitForPropagation),
    );
  waitForPropagation.next(checkPropagation);
  respond
    .next(waitForValidation)
    .next(pollOrder)
    .next(
      Choice.jsonata(scope, 'Ready?').when(reached, Pass.jsonata(scope, 'Control proven')).otherwise(waitForValidation),
    );
  return presentChallenges;
}

import { Choice, Condition, type IChainable, Parallel, Pass } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noRefusedProofs } from '../../../lambdas/domain/rules/proof/poll-wait.ts';
import { keepError } from '../error-output.ts';
import { exits } from '../exits.ts';
import { briefly, caUnavailable, recordSetContention } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { reached, secondsSince, wait } from './wait-state.ts';

type Functions = Record<'order' | 'challenge', WorkflowFunction>;

/** Proves control of the identifiers, like try and finally. If *Prove control* fails, its error is kept, and the TXT values are still removed. */
export function proofPhase(scope: Construct, functions: Functions) {
  const proveControl = Parallel.jsonata(scope, 'Prove control').branch(presentAndRespond(scope, functions));
  const cleanUp = functions.challenge.step(scope, 'Clean up challenges', {
    // The other values are from an earlier execution that placed the saved order.
    payload: { records: '{% [$records, $leftovers] %}' },
    retry: [recordSetContention, briefly],
    assign: { removed: '{% $states.result.Payload.removed %}' },
  });
  const proofFailed = Choice.jsonata(scope, 'Proof failed?');

  proveControl.addCatch(cleanUp, keepError).next(cleanUp);
  // The certificate is more important. The ledger keeps the values that were not removed, and the next execution removes them.
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

/** Returns the branch of *Prove control*. `changes` and the two times are variables of its own scope. */
function presentAndRespond(scope: Construct, { order, challenge }: Functions): IChainable {
  const presentChallenges = challenge.step(scope, 'Present challenges', {
    payload: { records: '{% $records %}' },
    retry: [recordSetContention],
    assign: {
      changes: '{% $states.result.Payload.changes %}',
      presentedAt: '{% $now() %}',
      respondedAt: '{% null %}',
      refused: noRefusedProofs,
    },
  });
  const checkPropagation = challenge.step(scope, 'Check propagation', {
    payload: {
      records: '{% $records %}',
      changes: '{% $changes %}',
      zoneServers: '{% $zoneServers %}',
      waited: secondsSince('presentedAt'),
    },
  });
  const waitForPropagation = wait(scope, 'Wait for propagation');
  const respond = order.step(scope, 'Respond to challenges', {
    payload: { spec: '{% $spec %}', challenges: '{% $challenges %}' },
    retry: [caUnavailable],
    assign: { respondedAt: '{% $now() %}' },
  });
  const waitForValidation = wait(scope, 'Wait for validation');
  const pollOrder = order.step(scope, 'Poll order until ready', {
    step: 'pollOrder',
    payload: {
      spec: '{% $spec %}',
      order: '{% $order %}',
      until: 'ready',
      waited: secondsSince('respondedAt'),
      refused: '{% $refused %}',
    },
    retry: [caUnavailable],
    assign: { refused: '{% $states.result.Payload.refused %}' },
  });

  // Route 53 reports no change as INSYNC at once.
  presentChallenges
    .next(waitForPropagation)
    .next(checkPropagation)
    .next(
      Choice.jsonata(scope, 'Propagated?')
        .when(Condition.jsonata('{% $states.input.propagated %}'), respond)
        .otherwise(waitForPropagation),
    );
  respond
    .next(waitForValidation)
    .next(pollOrder)
    .next(
      Choice.jsonata(scope, 'Ready?').when(reached, Pass.jsonata(scope, 'Control proven')).otherwise(waitForValidation),
    );
  return presentChallenges;
}

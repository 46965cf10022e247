import {
  Choice,
  Condition,
  type IChainable,
  Succeed,
  type TaskStateBase,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import type { RenewalAction } from '../../../lambdas/domain/contract/steps.ts';
import { announce } from '../announcement.ts';
import { keepError } from '../error-output.ts';
import { exits } from '../exits.ts';
import { errorNames, iamPropagation, recordSetContention } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Decides what to do. `wait` and `clean` are handled here and return to *Check renewal*. */
export function checkPhase(scope: Construct, { check, challenge }: Record<'check' | 'challenge', WorkflowFunction>) {
  const checkRenewal = checkRenewalState(scope, check);
  const wait = Wait.jsonata(scope, 'Wait for renewal time or lease', {
    time: WaitTime.seconds('{% $states.input.wait %}'),
  }).next(checkRenewal);
  const cleanUp = cleanUpLeftovers(scope, challenge, checkRenewal);
  const nothing = Succeed.jsonata(scope, 'Nothing to do', { outputs: { reason: '{% $states.input.reason %}' } });

  const errors = exits({
    // The input names no certificate of this stack, so there is no failure to record.
    badInput: (next) =>
      checkRenewal.addCatch(next, { ...keepError, errors: errorNames('InvalidInputError', 'UnknownCertificateError') }),
    failed: (next) => checkRenewal.addCatch(next, keepError),
  });
  const action = (name: RenewalAction) => Condition.jsonata(`{% $states.input.action = '${name}' %}`);
  const whichAction = Choice.jsonata(scope, 'Which action?')
    .when(action('wait'), wait)
    // Once for each attempt. Values that could not be removed stay in the ledger, and the renewal continues.
    .when(Condition.jsonata("{% $states.input.action = 'clean' and $not($cleaned) %}"), cleanUp)
    .otherwise(nothing);
  checkRenewal.next(whichAction);
  const actions = exits({
    issue: (next) => whichAction.when(action('issue'), next),
    // Once for each attempt. After *Discard order* the ledger has no saved order.
    resume: (next) =>
      whichAction.when(
        Condition.jsonata("{% $states.input.action = 'resume' and $type($discardedOrder) = 'null' %}"),
        next,
      ),
    repair: (next) => whichAction.when(action('repair'), next),
    deliver: (next) =>
      whichAction.when(Condition.jsonata("{% $states.input.action in ['deliver', 'announce'] %}"), next),
    share: (next) => whichAction.when(action('share'), next),
    checkEndpoints: (next) => whichAction.when(action('checkEndpoints'), next),
  });
  return { start: checkRenewal, ...actions, ...errors };
}

function checkRenewalState(scope: Construct, check: WorkflowFunction): TaskStateBase {
  return check.step(scope, 'Check renewal', {
    payload: {
      request: '{% $request %}',
      cleaned: '{% $cleaned %}',
      removed: '{% $removed %}',
      reported: '{% $reported %}',
      waitStarts: '{% $waitStarts %}',
      discardedOrder: '{% $discardedOrder %}',
      startedAt: '{% $startedAt %}',
    },
    retry: [iamPropagation],
    assign: {
      certificate: '{% $states.result.Payload.certificate %}',
      reason: '{% $states.result.Payload.reason %}',
      waitStarts: '{% $states.result.Payload.waitStarts %}',
      spec: '{% $states.result.Payload.spec %}',
      current: '{% $states.result.Payload.current %}',
      announced: '{% $states.result.Payload.announced %}',
      challengeZones: '{% $states.result.Payload.challengeZones %}',
      account: '{% $states.result.Payload.account %}',
      // These values have been removed from the ledger. The list is cleared so that a value written later is not removed by mistake.
      removed: [],
      reported: [],
      unremovable: '{% $states.result.Payload.unremovable %}',
      reportDue: '{% $states.result.Payload.reportDue %}',
      replaces: '{% $states.result.Payload.replaces %}',
      order: '{% $states.result.Payload.order %}',
      leftovers: '{% $states.result.Payload.leftovers %}',
    },
  });
}

/** Removes leftover TXT values, and publishes an event if some cannot be removed. In every case `next` follows. */
function cleanUpLeftovers(scope: Construct, challenge: WorkflowFunction, next: IChainable): IChainable {
  const cleanUp = challenge.step(scope, 'Clean up leftover challenges', {
    step: 'cleanUpChallenges',
    payload: { records: '{% $leftovers %}' },
    retry: [recordSetContention],
    assign: {
      cleaned: true,
      removed: '{% $states.result.Payload.removed %}',
      unremovable: '{% [$unremovable, $states.result.Payload.failed] %}',
    },
  });
  const announceLeftovers = announce(
    scope,
    'Announce leftover challenges',
    detailTypes.cleanUpFailed,
    {
      certificate: '{% $certificate %}',
      execution: '{% $states.context.Execution.Id %}',
      values: '{% $unremovable %}',
      action:
        'Fix what each reason says, and the next fleet run removes the value. Or remove the value by hand. A value in a hosted zone that is no longer configured is not reported again.',
    },
    { reported: '{% $unremovable %}' },
  );
  const report = Choice.jsonata(scope, 'Report leftover challenges?')
    .when(Condition.jsonata('{% $reportDue and $count($unremovable) > 0 %}'), announceLeftovers)
    .otherwise(next);
  announceLeftovers.addCatch(next).next(next);
  cleanUp.addCatch(report, { assign: { cleaned: true, unremovable: notRemoved } }).next(report);
  return cleanUp;
}

/** Expression for the values after the step itself has failed. */
const notRemoved = `{% [
  $unremovable,
  $leftovers[[0..24]].{ 'hostedZoneId': hostedZoneId, 'name': name, 'value': value, 'reason': $states.errorOutput.Error }
] %}`.replaceAll(/\n\s*/g, ' ');

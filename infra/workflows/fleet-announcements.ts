import { Choice, Condition, Map as MapState, Pass, ProvideItems } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../lambdas/domain/contract/events.ts';
import { announce } from './announcement.ts';

/** Events in the history that an event about a changed certificate has: 2 for the item of the Map and 5 for the task. */
const eventsPerChange = 7;

/** An event about a certificate that is late has two more, those of *Expiring?*. */
const eventsPerLate = eventsPerChange + 2;

/** Returns the Map that publishes an event for each certificate that another writer changed. An event that is refused is published a day later. */
export function announceChanges(scope: Construct): MapState {
  const announceChange = announce(scope, 'Announce change', detailTypes.changedOutside, {
    certificate: '{% $states.input.certificate %}',
    execution: '{% $states.context.Execution.Id %}',
    changes: '{% $states.input.changes %}',
  }).addCatch(Pass.jsonata(scope, 'Change not announced'));
  return MapState.jsonata(scope, 'Announce changes', {
    items: ProvideItems.jsonata('{% $states.input.changed %}'),
    maxConcurrency: 2,
    outputs: '{% {} %}',
    assign: { historyEvents: `{% $historyEvents + ${eventsPerChange} * $count($states.input.changed) %}` },
  }).itemProcessor(announceChange);
}

/**
 * Returns the Map that publishes an event for each certificate that is late, at most 100 after each selection. An event that is refused is published
 * a day later.
 */
export function announceLate(scope: Construct): MapState {
  const late = {
    certificate: '{% $states.input.certificate %}',
    execution: '{% $states.context.Execution.Id %}',
  };
  const notAnnounced = Pass.jsonata(scope, 'Late certificate not announced');
  const announceExpiring = announce(scope, 'Announce expiring certificate', detailTypes.expiring, {
    ...late,
    resource: '{% $states.input.resource %}',
    notAfter: '{% $states.input.notAfter %}',
    lifetimeLeft: '{% $states.input.lifetimeLeft %}',
    error: '{% $states.input.error %}',
    action: `{% 'Find out with "npx cdk-perennial explain ' & $states.input.certificate & '" why it was not renewed or delivered. Fix that, and start the renewal with force.' %}`,
  }).addCatch(notAnnounced);
  const announcePostponed = announce(scope, 'Announce postponed renewal', detailTypes.renewalPostponed, {
    ...late,
    since: '{% $states.input.since %}',
    directoryUrl: '{% $states.input.directoryUrl %}',
    notAfter: '{% $states.input.notAfter %}',
    action:
      'Wait, because the renewal starts when the CA allows more orders, and at the latest in the emergency before the expiry. If the CA has granted a higher limit, set it as newOrders of the issuer and deploy.',
  }).addCatch(notAnnounced);
  return MapState.jsonata(scope, 'Announce late certificates', {
    items: ProvideItems.jsonata('{% $states.input.late %}'),
    maxConcurrency: 2,
    outputs: '{% {} %}',
    assign: {
      historyEvents: `{% $historyEvents + ${eventsPerLate} * $count($states.input.late) %}`,
    },
  }).itemProcessor(
    Choice.jsonata(scope, 'Expiring?')
      .when(Condition.jsonata("{% $states.input.kind = 'expiring' %}"), announceExpiring)
      .otherwise(announcePostponed),
  );
}

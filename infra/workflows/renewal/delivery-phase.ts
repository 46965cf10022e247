import { Choice, Condition, type IChainable, Map as MapState, Pass, ProvideItems } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { keepError } from '../error-output.ts';
import { caught, exits, merged } from '../exits.ts';
import { errorNames } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { currentAnnounced, renewedDetail } from './record-phase.ts';

/**
 * Imports the certificate into ACM in each configured region. An error in one region does not stop the others. It is the result of its item,
 * and fails the attempt when all regions are done. If the version was not announced yet, or the attempt has imported it, an event is published
 * before that. It notifies the readers of the secret and the users of the other regions.
 */
export function deliveryPhase(scope: Construct, { delivery }: Record<'delivery', WorkflowFunction>) {
  const deliver = MapState.jsonata(scope, 'Deliver', {
    items: ProvideItems.jsonata('{% $spec.regions %}'),
    // A new AWS account may run ten functions at once. Half of them are left for other renewals.
    maxConcurrency: 5,
    assign: { deliveries: '{% $states.result %}' },
  }).itemProcessor(importCertificate(scope, delivery));
  const announcePartialDelivery = announce(
    scope,
    'Announce partial delivery',
    detailTypes.renewed,
    { ...renewedDetail, deliveries: '{% [$deliveries[$exists(arn)]] %}' },
    currentAnnounced,
  );
  const deliveredEverywhere = Choice.jsonata(scope, 'Delivered everywhere?');
  deliver.next(deliveredEverywhere);

  const someFailed = '$count($deliveries[$exists(Error)]) > 0';
  // No event was published for the current version, or this attempt has imported it.
  const somethingNew = '($announced != $current.versionId or $count($deliveries[imported]) > 0)';
  const outcomes = exits({
    failed: (next) =>
      deliveredEverywhere
        .when(Condition.jsonata(`{% ${someFailed} and ${somethingNew} %}`), announcePartialDelivery, errorToRecord)
        .when(Condition.jsonata(`{% ${someFailed} %}`), next, errorToRecord),
    // Only tags were set, so no event is published. Without `current` the endpoints are not checked.
    tagged: (next) =>
      deliveredEverywhere.when(
        Condition.jsonata(`{% $count($deliveries[tagged]) > 0 and $not(${somethingNew}) %}`),
        next,
        {
          assign: { current: '{% null %}' },
        },
      ),
    delivered: (next) => deliveredEverywhere.otherwise(next),
  });
  return {
    start: deliver,
    ...outcomes,
    failed: merged(
      outcomes.failed,
      caught([deliver], keepError),
      announcePartialDelivery,
      caught([announcePartialDelivery]),
    ),
  };
}

function importCertificate(scope: Construct, delivery: WorkflowFunction): IChainable {
  return delivery
    .step(scope, 'Import certificate', {
      payload: { spec: '{% $spec %}', region: '{% $states.input %}', current: '{% $current %}' },
    })
    .addCatch(Pass.jsonata(scope, 'Import failed'), { outputs: '{% $states.errorOutput %}' });
}

const operatorErrors = errorNames('ImportRefusedError', 'ImportLimitError').map((name) => `'${name}'`);
/** Chooses the error to record. Errors that only the operator can fix come last, because they are retried once a day. */
const errorToRecord = {
  assign: {
    errorOutput: `{% ($failed := $deliveries[$exists(Error)]; $append($failed[$not(Error in [${operatorErrors}])], $failed)[0]) %}`,
  },
};

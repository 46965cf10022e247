import { Choice, Condition, type IChainable, Map as MapState, Pass, ProvideItems } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { noted } from '../error-output.ts';
import { caught, exits, merged } from '../exits.ts';
import { importing, named } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { renewed } from './record-phase.ts';

/**
 * One region that refuses does not stop the others: its error is the item's result, and comes up when all are through. Who uses the
 * secret or another region is told of what is new all the same, once.
 */
export function deliveryPhase(scope: Construct, { delivery }: Record<'delivery', WorkflowFunction>) {
  const deliver = MapState.jsonata(scope, 'Deliver', {
    items: ProvideItems.jsonata('{% $spec.regions %}'),
    // Of the ten functions that a new account may run at once, half are left for other renewals.
    maxConcurrency: 5,
    assign: { deliveries: '{% $states.result %}' },
  }).itemProcessor(importCertificate(scope, delivery));
  const announcePartialDelivery = announce(scope, 'Announce partial delivery', detailTypes.renewed, {
    ...renewed,
    deliveries: '{% [$deliveries[$exists(arn)]] %}',
  });
  const deliveredEverywhere = Choice.jsonata(scope, 'Delivered everywhere?');
  deliver.next(deliveredEverywhere);

  const refused = '$count($deliveries[$exists(Error)]) > 0';
  // Stored by this try, or imported by it.
  const news = "($type($order) = 'object' or $count($deliveries[imported]) > 0)";
  const outcomes = exits({
    failed: (next) =>
      deliveredEverywhere
        .when(Condition.jsonata(`{% ${refused} and ${news} %}`), announcePartialDelivery, firstRefusal)
        .when(Condition.jsonata(`{% ${refused} %}`), next, firstRefusal),
    delivered: (next) => deliveredEverywhere.otherwise(next),
  });
  return {
    start: deliver,
    ...outcomes,
    failed: merged(
      outcomes.failed,
      caught([deliver], noted),
      announcePartialDelivery,
      caught([announcePartialDelivery]),
    ),
  };
}

function importCertificate(scope: Construct, delivery: WorkflowFunction): IChainable {
  return delivery
    .step(scope, 'Import certificate', {
      payload: { spec: '{% $spec %}', region: '{% $states.input %}', current: '{% $current %}' },
      retry: [importing],
    })
    .addCatch(Pass.jsonata(scope, 'Import failed'), { outputs: '{% $states.errorOutput %}' });
}

const persons = named('ImportRefusedError', 'ImportLimitError').map((name) => `'${name}'`);
/** Of several, one that is tried again soon: those that wait for a person are tried once a day. */
const firstRefusal = {
  assign: {
    errorOutput: `{% ($failed := $deliveries[$exists(Error)]; $append($failed[$not(Error in [${persons}])], $failed)[0]) %}`,
  },
};

import { Choice, Condition, type IChainable, Map as MapState, Pass, ProvideItems } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { noted } from '../error-output.ts';
import { importing, named } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { renewed } from './record-phase.ts';

/**
 * One region that refuses does not stop the others: its error is the item's result, and comes up when all are through. Who uses the
 * secret or another region is told of what is new all the same, once.
 */
export function delivery(
  scope: Construct,
  functions: Record<'delivery', WorkflowFunction>,
  next: Record<'recordFailure' | 'record' | 'recordAndLook' | 'recordQuietly', IChainable>,
): IChainable {
  const refused = '$count($deliveries[$exists(Error)]) > 0';
  // Stored by this try, or imported by it.
  const imported = '$count($deliveries[imported]) > 0';
  const news = `($type($order) = 'object' or ${imported})`;
  return MapState.jsonata(scope, 'Deliver', {
    items: ProvideItems.jsonata('{% $spec.regions %}'),
    // Of the ten functions that a new account may run at once, half are left for other renewals.
    maxConcurrency: 5,
    assign: { deliveries: '{% $states.result %}' },
  })
    .itemProcessor(importCertificate(scope, functions.delivery))
    .addCatch(next.recordFailure, noted)
    .next(
      Choice.jsonata(scope, 'Delivered everywhere?')
        .when(
          Condition.jsonata(`{% ${refused} and ${news} %}`),
          announceInPart(scope, next.recordFailure),
          firstRefusal,
        )
        .when(Condition.jsonata(`{% ${refused} %}`), next.recordFailure, firstRefusal)
        // Who may read it has changed, and nothing else: whoever reloads a server when told is not told.
        .when(Condition.jsonata(`{% $known and $not(${imported}) %}`), next.recordQuietly)
        // A deployment waits for the end, and may make the server afterwards: the next fleet run looks.
        .when(Condition.jsonata('{% $count($spec.endpoints) > 0 and $not($deploy) %}'), next.recordAndLook)
        .otherwise(next.record),
    );
}

function importCertificate(scope: Construct, lambda: WorkflowFunction): IChainable {
  return lambda
    .step(scope, 'Import certificate', {
      payload: { spec: '{% $spec %}', region: '{% $states.input %}', current: '{% $current %}' },
      retry: [importing],
    })
    .addCatch(Pass.jsonata(scope, 'Not imported'), { outputs: '{% $states.errorOutput %}' });
}

function announceInPart(scope: Construct, recordFailure: IChainable): IChainable {
  return announce(scope, 'Announce in part', detailTypes.renewed, {
    ...renewed,
    deliveries: '{% [$deliveries[$exists(arn)]] %}',
  })
    .addCatch(recordFailure)
    .next(recordFailure);
}

const persons = named('ImportRefusedError', 'ImportLimitError').map((name) => `'${name}'`);
/** Of several, one that is tried again soon: those that wait for a person are tried once a day. */
const firstRefusal = {
  assign: {
    errorOutput: `{% ($failed := $deliveries[$exists(Error)]; $append($failed[$not(Error in [${persons}])], $failed)[0]) %}`,
  },
};

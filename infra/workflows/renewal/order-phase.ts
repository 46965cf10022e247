import { Choice, Condition, type IChainable, Pass, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { CheckOrderOutput } from '../../../lambdas/domain/contract/steps.ts';
import { noted } from '../error-output.ts';
import { caUnavailable } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { proof } from './proof-phase.ts';

/** A saved order is looked at in place of a new one; where it is of no use, *Check renewal* is asked again. */
export function orderAndProof(
  scope: Construct,
  functions: Record<'order' | 'challenge', WorkflowFunction>,
  next: Record<'recordFailure' | 'finalize', IChainable>,
): { readonly orderSaved: IChainable; readonly orderGone: Pass } {
  const newOrder = makeNew(scope, functions.order).addCatch(next.recordFailure, noted);
  const checkOrder = lookAtSaved(scope, functions.order).addCatch(next.recordFailure, noted);
  // *Check zones* is asked again too, and may find all in order by then.
  const orderGone = Pass.jsonata(scope, 'Order is of no use', {
    assign: { abandoned: '{% $order.url %}', errorOutput: '{% null %}' },
  });
  const { proveControl, cleanUp } = proof(scope, functions, next);

  newOrder.next(
    Choice.jsonata(scope, 'Anything to prove?')
      .when(Condition.jsonata('{% $count($challenges) > 0 %}'), proveControl)
      .otherwise(next.finalize),
  );
  const outcome = (name: CheckOrderOutput['outcome']) => Condition.jsonata(`{% $states.input.outcome = '${name}' %}`);
  checkOrder.next(
    Choice.jsonata(scope, 'What is it good for?')
      .when(
        Condition.jsonata("{% $states.input.outcome = 'prove' and $type($errorOutput) = 'object' %}"),
        next.recordFailure,
      )
      .when(outcome('prove'), proveControl)
      // What is proven needs no zone.
      .when(outcome('finish'), cleanUp, { assign: { errorOutput: '{% null %}' } })
      .otherwise(orderGone),
  );
  const orderSaved = Choice.jsonata(scope, 'Order saved?')
    .when(Condition.jsonata("{% $type($order) = 'object' %}"), checkOrder)
    .when(Condition.jsonata("{% $type($errorOutput) = 'object' %}"), next.recordFailure)
    .otherwise(newOrder);
  return { orderSaved, orderGone };
}

/** What a new order and a saved one leave to those who prove and finalize it. */
const ordered = {
  order: '{% $states.result.Payload.order %}',
  challenges: '{% $states.result.Payload.challenges %}',
  records: '{% $states.result.Payload.records %}',
};

function makeNew(scope: Construct, lambda: WorkflowFunction): TaskStateBase {
  return lambda.step(scope, 'New order', {
    payload: {
      spec: '{% $spec %}',
      challengeRecords: '{% $states.input.challengeRecords %}',
      replaces: '{% $replaces %}',
    },
    retry: [caUnavailable],
    assign: ordered,
  });
}

function lookAtSaved(scope: Construct, lambda: WorkflowFunction): TaskStateBase {
  return lambda.step(scope, 'Check order', {
    payload: {
      spec: '{% $spec %}',
      order: '{% $order %}',
      challengeRecords: '{% $states.input.challengeRecords %}',
      leftovers: '{% $leftovers %}',
    },
    retry: [caUnavailable],
    assign: { resumed: true, ...ordered },
  });
}

import { Choice, Condition, Pass, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { CheckOrderOutput } from '../../../lambdas/domain/contract/steps.ts';
import { keepError } from '../error-output.ts';
import { caught, exits, merged } from '../exits.ts';
import { caUnavailable } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Places a new order, or checks a saved one. A saved order that cannot be used is discarded, and *Check renewal* decides again. */
export function orderPhase(scope: Construct, { order }: Record<'order', WorkflowFunction>) {
  const newOrder = placeOrder(scope, order);
  const checkOrder = checkSavedOrder(scope, order);
  // The zones are checked again before a new order, so their error is cleared.
  const discardOrder = Pass.jsonata(scope, 'Discard order', {
    assign: { discardedOrder: '{% $order.url %}', errorOutput: '{% null %}' },
  });

  const orderPending = Choice.jsonata(scope, 'Order pending?');
  newOrder.next(orderPending);
  const placed = exits({
    prove: (next) => orderPending.when(Condition.jsonata('{% $states.input.pending %}'), next),
    proven: (next) => orderPending.otherwise(next),
  });

  const orderStatus = Choice.jsonata(scope, 'Order status?').otherwise(discardOrder);
  checkOrder.next(orderStatus);
  const outcome = (name: CheckOrderOutput['outcome']) => Condition.jsonata(`{% $states.input.outcome = '${name}' %}`);
  const saved = exits({
    failed: (next) =>
      orderStatus.when(
        Condition.jsonata("{% $states.input.outcome = 'prove' and $type($errorOutput) = 'object' %}"),
        next,
      ),
    prove: (next) => orderStatus.when(outcome('prove'), next),
    // A proven order needs no hosted zone, so an error of the zones is cleared.
    finish: (next) => orderStatus.when(outcome('finish'), next, { assign: { errorOutput: '{% null %}' } }),
  });

  return {
    start: newOrder,
    checkOrder,
    prove: merged(placed.prove, saved.prove),
    proven: placed.proven,
    finish: saved.finish,
    discarded: discardOrder,
    failed: merged(saved.failed, caught([newOrder, checkOrder], keepError)),
  };
}

/** The variables that both a new order and a saved order set for the phases that follow. */
const orderVariables = {
  order: '{% $states.result.Payload.order %}',
  challenges: '{% $states.result.Payload.challenges %}',
  records: '{% $states.result.Payload.records %}',
};

function placeOrder(scope: Construct, order: WorkflowFunction): TaskStateBase {
  return order.step(scope, 'New order', {
    payload: {
      spec: '{% $spec %}',
      challengeRecords: '{% $states.input.challengeRecords %}',
      replaces: '{% $replaces %}',
    },
    retry: [caUnavailable],
    assign: orderVariables,
  });
}

function checkSavedOrder(scope: Construct, order: WorkflowFunction): TaskStateBase {
  return order.step(scope, 'Check order', {
    payload: {
      spec: '{% $spec %}',
      order: '{% $order %}',
      challengeRecords: '{% $states.input.challengeRecords %}',
      leftovers: '{% $leftovers %}',
    },
    retry: [caUnavailable],
    assign: { resumed: true, ...orderVariables },
  });
}

import { Choice, Condition, Pass, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { CheckOrderOutput } from '../../../lambdas/domain/contract/steps.ts';
import { noted } from '../error-output.ts';
import { caught, exits, merged } from '../exits.ts';
import { caUnavailable } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** A saved order is looked at in place of a new one; where it is of no use, *Check renewal* is asked again. */
export function orderPhase(scope: Construct, { order }: Record<'order', WorkflowFunction>) {
  const newOrder = makeNew(scope, order);
  const checkOrder = lookAtSaved(scope, order);
  // *Check zones* is asked again too, and may find all in order by then.
  const discardOrder = Pass.jsonata(scope, 'Discard order', {
    assign: { discardedOrder: '{% $order.url %}', errorOutput: '{% null %}' },
  });

  const challengesPending = Choice.jsonata(scope, 'Challenges pending?');
  newOrder.next(challengesPending);
  const made = exits({
    prove: (next) => challengesPending.when(Condition.jsonata('{% $count($challenges) > 0 %}'), next),
    proven: (next) => challengesPending.otherwise(next),
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
    // What is proven needs no zone.
    finish: (next) => orderStatus.when(outcome('finish'), next, { assign: { errorOutput: '{% null %}' } }),
  });

  return {
    start: newOrder,
    checkOrder,
    prove: merged(made.prove, saved.prove),
    proven: made.proven,
    finish: saved.finish,
    gone: discardOrder,
    failed: merged(saved.failed, caught([newOrder, checkOrder], noted)),
  };
}

/** What a new order and a saved one leave to those who prove and finalize it. */
const ordered = {
  order: '{% $states.result.Payload.order %}',
  challenges: '{% $states.result.Payload.challenges %}',
  records: '{% $states.result.Payload.records %}',
};

function makeNew(scope: Construct, order: WorkflowFunction): TaskStateBase {
  return order.step(scope, 'New order', {
    payload: {
      spec: '{% $spec %}',
      challengeRecords: '{% $states.input.challengeRecords %}',
      replaces: '{% $replaces %}',
    },
    retry: [caUnavailable],
    assign: ordered,
  });
}

function lookAtSaved(scope: Construct, order: WorkflowFunction): TaskStateBase {
  return order.step(scope, 'Check order', {
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

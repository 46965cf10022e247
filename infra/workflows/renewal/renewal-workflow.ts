import { Duration } from 'aws-cdk-lib';
import { Pass, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Workflow } from '../workflow.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { checkPhase } from './check-phase.ts';
import { deliveryPhase } from './delivery-phase.ts';
import { endpointsPhase } from './endpoints-phase.ts';
import { failurePhase } from './failure-phase.ts';
import { issuancePhase } from './issuance-phase.ts';
import { orderPhase } from './order-phase.ts';
import { proofPhase } from './proof-phase.ts';
import { recordPhase } from './record-phase.ts';
import { secretPhase } from './secret-phase.ts';
import { zonesPhase } from './zones-phase.ts';

export interface RenewalWorkflowProps {
  readonly name: string;
  readonly check: WorkflowFunction;
  readonly order: WorkflowFunction;
  readonly challenge: WorkflowFunction;
  readonly certificate: WorkflowFunction;
  readonly delivery: WorkflowFunction;
}

/** What every rung of the retry ladder begins with. */
const fresh = {
  reason: "{% '' %}",
  cleaned: false,
  waits: 0,
  discardedOrder: '{% null %}',
  resumed: false,
  validTries: 0,
  spec: '{% null %}',
  current: '{% null %}',
  challengeZones: [],
  account: '{% null %}',
  replaces: '{% null %}',
  order: '{% null %}',
  leftovers: [],
  challenges: [],
  records: [],
  removed: [],
  deliveries: [],
  endpointTries: 0,
  served: '{% null %}',
  errorOutput: '{% null %}',
  failure: '{% null %}',
};

/** Every variable of the workflow's own scope: a state that reads one finds it, whichever way it was reached. */
const variables = {
  request: '{% $states.input %}',
  // For the log and the event until *Check renewal* has read the input, which may be of any shape.
  certificate: "{% $type($states.input.certificate) = 'string' ? $states.input.certificate : '' %}",
  attempt: 1,
  startedAt: '{% $now() %}',
  // A deployment waits for this execution: for *Record failure*, which may come before *Check renewal* has read the input.
  deploy: "{% $type($states.input.deploy) = 'boolean' ? $states.input.deploy : false %}",
  ...fresh,
};

/**
 * One certificate, in the order of RFC 8555 §7.1: is it due, order, proof, clean up, finalize, store, deliver, record, announce; then a
 * look at its servers. What fails is tried again from the beginning, which finds what is saved and carries on from there.
 * Started by the fleet, by a person with `{"certificate": "www"}` or `{"certificate": "www", "force": true}`, or in place of an
 * execution that was stopped (`restart-rule.ts`).
 */
export class RenewalWorkflow extends Construct {
  readonly workflow: Workflow;

  /** Each phase is a file of this folder, with a start and named exits. They are connected here in the order in which they run. */
  constructor(scope: Construct, id: string, props: RenewalWorkflowProps) {
    super(scope, id);
    const check = checkPhase(this, props);
    const zones = zonesPhase(this, props);
    const order = orderPhase(this, props);
    const proof = proofPhase(this, props);
    const issuance = issuancePhase(this, props);
    const secret = secretPhase(this, props);
    const delivery = deliveryPhase(this, props);
    const record = recordPhase(this, props);
    const endpoints = endpointsPhase(this, props);
    const failure = failurePhase(this, props, fresh);
    const done = Succeed.jsonata(this, 'Done', {
      outputs: { current: '{% $current %}', deliveries: '{% $deliveries %}', served: '{% $served %}' },
    });

    const start = Pass.jsonata(this, 'Start', { assign: variables }).next(check.start);
    check.issue.next(zones.start);
    check.resume.next(zones.forSavedOrder);
    check.repair.next(secret.repair);
    check.deliver.next(delivery.start);
    check.share.next(secret.share);
    check.checkEndpoints.next(endpoints.start);

    zones.checked.next(order.start);
    zones.checkedForSavedOrder.next(order.checkOrder);

    order.prove.next(proof.start);
    order.proven.next(issuance.start);
    order.finish.next(proof.cleanUp);
    order.gone.next(check.start);

    proof.proven.next(issuance.start);
    issuance.stored.next(delivery.start);
    secret.repaired.next(delivery.start);
    delivery.delivered.next(record.start);
    // No server has to be reloaded for a change of readers or replicas.
    secret.shared.next(record.recordSuccess);
    record.checkEndpoints.next(endpoints.start);
    record.done.next(done);
    endpoints.done.next(done);

    for (const phase of [check, zones, order, proof, issuance, secret, delivery, record])
      phase.failed.next(failure.start);
    check.badInput.next(failure.readError);
    failure.waitForNextAttempt.next(check.start);

    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Renews one certificate',
      start,
      // Longer than all bounds of one try together: 86 looks at an order, at most an hour apart because a CA may ask for that, are
      // 3.6 days. What is stopped here is started again by the restart rule, which cleans up and carries on.
      timeout: Duration.days(5),
      functions: [props.check, props.order, props.challenge, props.certificate, props.delivery],
    });
  }
}
